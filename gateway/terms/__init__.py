"""The rules text: rendering, publishing, and the starter rules that a fresh installation begins with."""
