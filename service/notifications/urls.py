"""URLs of receivers: secrets, from a file or the environment, opened by Apprise and shown to nobody."""

import logging
import os
from typing import Any

from edge.brokers.loopback import is_loopback
from edge.errors import ConfigError
from service.notifications.settings import NotificationSettings


def read_urls(settings: NotificationSettings) -> list[str]:
    """Return the URLs; ConfigError, which shows none of them, if there is none or they cannot be read."""
    if settings.urls_file is not None:
        try:
            lines = [line.strip() for line in settings.urls_file.read_text().splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            got = error.strerror if isinstance(error, OSError) else "bytes that are no text"
            raise ConfigError(f"urls_file: {settings.urls_file}: expected a URL a line, got: {got}") from error
        urls, place = [line for line in lines if line and not line.startswith("#")], f"urls_file: {settings.urls_file}"
    else:
        name = settings.urls_variable or ""
        urls, place = os.environ.get(name, "").split(), f"urls_variable: {name}"
    if not urls:
        raise ConfigError(f"{place}: expected at least one URL, got none")
    return urls


def open_plugin(url: str, settings: NotificationSettings) -> Any:
    """Return what sends to a URL; ConfigError, which shows its scheme at most, if it cannot be used."""
    from apprise import Apprise, AppriseAsset  # which takes long to import

    silence()
    asset = AppriseAsset(
        app_id="Foresense", app_desc="Foresense", app_url="", image_url_mask="", image_url_logo="", async_mode=False,
        storage_mode="memory", allow_templates=False, http_redirects=False,
    )  # fmt: skip
    scheme, colon, _ = url.partition("://")
    shown = f"{scheme}://..." if colon and scheme.isalnum() and len(scheme) < 20 else "something else"
    plugin = Apprise.instantiate(url, asset=asset)
    if plugin is None:
        raise ConfigError(f"expected a URL as Apprise has them (github.com/caronc/apprise/wiki), got {shown}")
    if not plugin.verify_certificate:
        raise ConfigError(f"expected a URL without verify=no, as certificates are always checked, got {shown}")
    if _is_plain(plugin, scheme) and (plugin.user or plugin.password) and not settings.insecure:
        raise ConfigError(
            f"expected a URL of an encrypted scheme, such as mailtos, jsons or ntfys, as the user and the password in "
            f"it would cross the network unencrypted, got {shown}; `insecure: true` allows it"
        )
    plugin.socket_connect_timeout = plugin.socket_read_timeout = settings.timeout_s
    return plugin


def silence() -> None:
    """Keep what Apprise and its connections log, which may have a URL in it, out of our logs."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logging.getLogger("urllib3").setLevel(logging.INFO)  # it tells the path of each request for debugging


def _is_plain(plugin: Any, scheme: str) -> bool:
    """Whether what is sent may go to another host unencrypted."""
    plain = plugin.protocol if isinstance(plugin.protocol, (tuple, list, set)) else {plugin.protocol}
    return scheme.lower() in plain and not is_loopback(plugin.host or "")
