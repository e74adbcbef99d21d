"""How the municipality's pages look: its colour, held to the contrast that everybody can read, and its arms."""
