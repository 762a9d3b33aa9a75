"""The routes of Gradio that the page needs, and who may use them.

The others read files, fetch addresses or change the page for everyone.
"""

from __future__ import annotations

READ, WRITE = ("GET", "HEAD"), ("POST",)
API = "/gradio_api/"
# Name for the metrics, methods, pattern.
ROUTES = [
    ("page", READ, r"/"),
    ("page", READ, r"/(config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|logout)"),
    ("static", READ, r"/(assets|static|svelte)/.*"),
    ("static", READ, r"/web/\w+\.(js|css|svg)"),
    ("login", WRITE, r"/login/?"),
    ("about", READ, API + r"(info|app_id|user|login_check|token|startup-events|theme\.css)/?"),
    ("about", READ, API + r"(openapi\.json|queue/status)"),
    ("file", READ, API + r"file=.*"),
    ("upload", WRITE, API + r"upload"),
    ("call", WRITE, API + r"(run|api|call|call/v2)/[^/]+/?"),
    ("call", WRITE, API + r"queue/join"),
    ("call", WRITE, API + r"(cancel|reset/?)"),
    ("events", READ, API + r"(queue/data|upload_progress|heartbeat/[^/]+)"),
    ("events", READ, API + r"call/(v2/)?[^/]+/[^/]+"),
]
MCP_ROUTES = [("mcp", ("GET", "HEAD", "POST", "DELETE"), API + r"mcp(/.*)?")]
STREAMS = ("events", "mcp")
# Gradio looks for a login of its own, but only when it has read and parsed the whole body.
SIGNED_IN = ("file", "upload", "call", "events")
