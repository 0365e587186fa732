"""Tests of Baywatt: a folder mirrors a package; `support` starts what tests need."""
