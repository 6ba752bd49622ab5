"""What holds for every unit test."""

from hypothesis import HealthCheck, settings

# How fast a machine is that others work on too says nothing of what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
