"""The rooms of the published lists: which are on, what they hold, where they overlap."""
