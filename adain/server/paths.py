"""The paths of the HTTP service, which its routes and the middleware before them share."""

import re

STYLIZE, STYLES, MODELS = "/v1/stylize", "/v1/styles", "/v1/models"
DOCS, OPENAPI = "/v1/docs", "/v1/openapi.json"
ALIVE, READY, METRICS = "/healthz", "/readyz", "/metrics"

# All that is the service's and not the page's.
SERVICE = re.compile(rf"(/v1|{ALIVE}|{READY}|{METRICS})(/.*)?")
OPEN = (ALIVE, READY)  # without a login
# Answered while models load, and while the server stops.
ALWAYS = (ALIVE, METRICS)
FORMS = {STYLIZE: 2, STYLES: 1}  # what takes forms, and how many files
