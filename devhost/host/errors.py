"""What stops the dev host, or one function in it, told in one line."""


class HostError(Exception):
    """The dev host cannot run this app."""


class ConfigurationError(HostError):
    """`local.settings.json` or `host.json` cannot be used."""


class AppLoadError(HostError):
    """The app cannot be indexed, so none of its functions runs."""


class FunctionLoadError(HostError):
    """One function cannot be loaded; the others run."""


class AddressUnavailable(HostError):
    """The address to listen on is taken or cannot be bound."""
