"""The demonstration: the whole main job on a real recording, with the same commands a user has."""
