"""How property tests run: without a deadline, for the machine may be busy with other tests."""

from hypothesis import settings

settings.register_profile("baywatt", deadline=None)
settings.load_profile("baywatt")
