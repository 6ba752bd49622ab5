"""`registry profile`: addresses and keys of registries, kept under names."""

from dataclasses import replace
from typing import Annotated

import typer

from cli.arguments import OutputOption
from cli.confirming import asked_key
from cli.connection import checked_url
from cli.exchange import JsonObject
from cli.faults import say, told_clearly
from cli.misuse import refuse
from cli.output import Output, write_many, write_one
from cli.profiles import (
    Profile,
    Profiles,
    checked_name,
    profiles_path,
    read_profiles,
    write_profiles,
)

profile = typer.Typer(help="Addresses and keys, kept under names.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@profile.command("set")
def set_profile(
    name: NameArgument,
    url: Annotated[str, typer.Option(help="The registry's address.")],
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Send the key over http:// in clear text.")
    ] = False,
) -> None:
    """Keep an address and a key, which is read from stdin; an empty line keeps the key there is."""
    with told_clearly():
        checked_name(name)
        address = str(checked_url(url, insecure=insecure))
        known = read_profiles()
        before = known.profiles.get(name)
        # A key stays with the address that it was given for.
        kept = before.api_key if before is not None and before.url == address else None
        made = Profile(name, address, asked_key() or kept, insecure)
        active = known.active or name
        write_profiles(Profiles({**known.profiles, name: made}, active))
    say(f"profile {name} is kept in {profiles_path()}")
    if made.api_key is None:
        say("it has no key")


@profile.command("list")
def list_profiles(output: OutputOption = Output.TABLE) -> None:
    """List the profiles; keys are masked."""
    with told_clearly():
        known = read_profiles()
        shown = [_shown(one, known.active) for one in known.profiles.values()]
        write_many(shown, output, ["name", "url", "api_key", "is_active"])


@profile.command()
def use(name: NameArgument) -> None:
    """Let a profile count where none is named."""
    with told_clearly():
        known = read_profiles()
        _find(known, name)
        write_profiles(replace(known, active=name))
    say(f"profile {name} is used from now on")


@profile.command()
def show(
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a profile, by default the one in use; its key is masked."""
    with told_clearly():
        known = read_profiles()
        wanted = name or known.active
        if wanted is None:
            refuse("there is no profile yet: see 'registry profile set --help'")
        write_one(_shown(_find(known, wanted), known.active), output)


def _find(known: Profiles, name: str) -> Profile:
    if name not in known.profiles:
        refuse(f"there is no profile {name}: see 'registry profile list'")
    return known.profiles[name]


def _shown(one: Profile, active: str | None) -> JsonObject:
    return {
        "name": one.name,
        "url": one.url,
        "api_key": one.masked_key,
        "insecure": one.insecure,
        "is_active": one.name == active,
    }
