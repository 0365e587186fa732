"""Loops around one service call each."""
