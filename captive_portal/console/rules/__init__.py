"""The rooms of the rules: written, shown, compared, published."""
