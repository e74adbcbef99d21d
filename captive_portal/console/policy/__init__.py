"""The content filter's rooms: what is open for whom and when, from draft to published and back."""
