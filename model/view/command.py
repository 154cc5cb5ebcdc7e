"""Verb that opens a page to look at things: view."""

from typing import Annotated

import typer

from dsfu.progress import waiting


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(view)


def view(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A file, a folder, or the URL of a store.", show_default=False)
    ],
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 for any that is free.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
) -> None:
    """Look at data and results in a browser.

    At a volume, planes, factors, a store, an evaluation, atoms or a map. Sliders go through h, k and l and set the
    radius of Bragg holes; images are zoomed together, and tell the value under the pointer. The page is served to this
    machine alone, and to whoever knows the token in its address; through ssh: ssh -L PORT:127.0.0.1:PORT HOST. Ctrl-C
    ends it.
    """
    from dsfu.model.view.opening import page_of
    from dsfu.model.view.serving import serve

    with waiting(f"reading {path}"):
        server, address = serve(page_of(path), f"dsfu: {path}", port)
    typer.echo(f"{address}\nCtrl-C ends it.")
    if browser:
        server.io_loop.add_callback(_open_browser, address)
    server.start()
    server.io_loop.start()


def _open_browser(address: str) -> None:
    import webbrowser

    webbrowser.open(address)
