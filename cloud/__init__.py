"""The backend: holds what stations tell against what was promised, and tells everyone the outcome."""
