"""What must hold for whatever bytes: entry points that hypothesis, the kept corpus and atheris all run."""
