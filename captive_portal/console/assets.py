"""The files that pages load: named at start, so that no request can name another."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from starlette.responses import FileResponse, Response

from captive_portal.console.visit import Visit

STATIC = Path(__file__).parent.parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
}


class Assets:
    """Style sheets, scripts, pictures and fonts of `captive_portal/static`."""

    def __init__(self) -> None:
        self._files = {
            path.relative_to(STATIC).as_posix(): path
            for path in STATIC.rglob("*")
            if path.is_file() and path.suffix in TYPES
        }

    def serve(self, visit: Visit) -> Response:
        """GET /static/{name}"""
        path = self._files.get(visit.params["name"])
        if path is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        return FileResponse(path, media_type=TYPES[path.suffix], headers={"Cache-Control": "max-age=3600"})
