"""Courses, their posters, and what hosts answer."""
