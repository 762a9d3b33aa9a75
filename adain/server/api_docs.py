"""The service's OpenAPI description as a page that needs nothing from anywhere else."""

from __future__ import annotations

import html
import re
from typing import Any

Json = dict[str, Any]

# No script runs, nothing is fetched.
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

STYLE = """
:root { color-scheme: light dark; --ink: #222; --paper: #f7f5f1; --card: #fff; --line: #d8d3ca;
  --soft: #6a655d; --accent: #b4451c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e4dc; --paper: #191816; --card: #23211f;
  --line: #3b3834; --soft: #a39d93; --accent: #f0915a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 56rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0.5rem 0 0; } h3 { margin: 1rem 0 0.25rem; font-size: 1rem; }
a { color: var(--accent); }
section { margin: 1rem 0; padding: 0.75rem 1rem 1rem; border: 1px solid var(--line);
  border-radius: 10px; background: var(--card); }
h2 { margin: 0; font: 600 1.1rem/1.4 ui-monospace, monospace; } h2 b { color: var(--accent); }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
pre { padding: 0.75rem; overflow-x: auto; border-radius: 8px; border: 1px solid var(--line); }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: 0.25rem 1rem;
  margin: 0; }
dt { font: 0.9em/1.7 ui-monospace, monospace; } dd { margin: 0; min-width: 0; }
small { color: var(--soft); }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin: 0 0 0.6rem; } }
"""


def page(description: Json, address: str) -> str:
    """HTML of what can be asked, what of, and what is answered; ``address`` is the server's."""
    about = description["info"]
    parts = [
        f"<h1>{_text(about['title'])} {_text(about['version'])}</h1>",
        f"<p>{_text(about['summary'])} {_prose(about['description'])}</p>",
        '<p><a href="openapi.json">openapi.json</a> says the same to programs.</p>',
        f"<pre>{_text(EXAMPLE.format(address=address))}</pre>",
    ]
    for path, methods in description["paths"].items():
        parts += [
            _operation(description, method.upper(), path, operation)
            for method, operation in methods.items()
        ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(about['title'])}: the REST service</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>"
    )


EXAMPLE = """\
curl {address}v1/stylize -F content=@photo.jpg -F style=@painting.jpg -F alpha=0.8 -o result.png
curl {address}v1/stylize -F content=@photo.jpg -F style_id=night -F format=jpeg -o result.jpg
curl {address}v1/stylize -F content=@photo.jpg -F style=@a.jpg -F style_id=night \\
  -F weight=0.7 -F weight=0.3 -o mixture.png
curl {address}v1/stylize -F content=@photo.jpg -F style_id=night -F style_id=woodcut \\
  -F mask=@sky.png -F mask=@ground.png -o painted.png
curl {address}v1/styles -F file=@painting.jpg
curl {address}v1/video -F content=@film.mp4 -F style_id=night -F max_side=640
curl {address}v1/video -F content=@film.mp4 -F style_id=night -F style_at=10=woodcut \\
  -F style_at=20 -F style_at_file=@painting.jpg"""


def _operation(description: Json, method: str, path: str, operation: Json) -> str:
    parts = [f"<h2><b>{method}</b> {_text(path)}</h2><p>{_prose(operation['description'])}</p>"]
    if "parameters" in operation:
        asked = [
            (each["name"], {**each, **each["schema"], "needed": each["required"]})
            for each in operation["parameters"]
        ]
        parts.append(f"<h3>In the address</h3>{_rows(asked)}")
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<h3>Send <code>{_text(kind)}</code></h3>")
        parts.append(_fields(description, content["schema"]))
    refusals = []
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            refusals.append((status, answer))
            continue
        contents = answer.get("content", {})
        kinds = ", ".join(contents)
        what = _prose(answer["description"])
        parts.append(f"<h3>{status} <small>{_text(kinds)}</small></h3><p>{what}</p>")
        for content in contents.values():
            parts.append(_fields(description, content["schema"]))
        parts.append(_rows(list(answer.get("headers", {}).items())))
    parts += ["<h3>Other answers</h3>", _rows(refusals)]
    return f"<section>{''.join(parts)}</section>"


def _fields(description: Json, schema: Json) -> str:
    schema = _resolved(description, schema)
    required = schema.get("required", ())
    return _rows(
        [
            (name, {**_resolved(description, field), "needed": name in required})
            for name, field in schema.get("properties", {}).items()
        ]
    )


def _rows(fields: list[tuple[str, Json]]) -> str:
    if not fields:
        return ""
    rows = (f"<dt>{_text(name)}</dt><dd>{_about(field)}</dd>" for name, field in fields)
    return f"<dl>{''.join(rows)}</dl>"


def _about(field: Json) -> str:
    """A description, what is allowed, and what is taken where nothing is given."""
    options = [field, *field.get("anyOf", ()), field.get("schema", {})]
    merged: Json = {}
    for option in reversed(options):
        merged |= {key: value for key, value in option.items() if value != "null"}
    limits = []
    if "enum" in merged:
        limits.append(" | ".join(map(str, merged["enum"])))
    elif "maxItems" in merged:
        limits.append(f"{_kind(merged['items'])}, up to {merged['maxItems']} times")
    elif "type" in merged:
        limits.append(_kind(merged))
    if "minimum" in merged and "maximum" in merged:
        limits.append(f"{merged['minimum']:g} to {merged['maximum']:g}")
    if merged.get("default") is not None:
        limits.append(f"by default {merged['default']}")
    if merged.get("needed"):
        limits.append("required")
    text = _prose(merged.get("description", ""))
    return f"{text} <small>{_text(', '.join(limits))}</small>"


def _kind(schema: Json) -> str:
    return "file" if "contentMediaType" in schema else str(schema["type"])


def _resolved(description: Json, schema: Json) -> Json:
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _prose(text: str) -> str:
    return re.sub("`(.*?)`", r"<code>\1</code>", _text(text))


def _text(value: object) -> str:
    return html.escape(str(value))
