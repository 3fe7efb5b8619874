"""The pictures of the course, and the widgets that show them live."""
