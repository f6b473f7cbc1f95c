"""What all tests share: Hypothesis looks for wrong answers, not for slow machines."""

from hypothesis import settings

settings.register_profile("lofn", deadline=None)
settings.load_profile("lofn")
