"""The paths of the HTTP service, which its routes and the middleware before them share."""

import re

STYLIZE, STYLES, MODELS = "/v1/stylize", "/v1/styles", "/v1/models"
PHOTOS = "/v1/photos"
STYLE_PICTURE, PHOTO_PICTURE = f"{STYLES}/{{name}}/picture", f"{PHOTOS}/{{name}}/picture"
VIDEO = "/v1/video"
VIDEO_JOB, VIDEO_FILE = f"{VIDEO}/{{id}}", f"{VIDEO}/{{id}}/file"
DOCS, OPENAPI = "/v1/docs", "/v1/openapi.json"
ALIVE, READY, METRICS = "/healthz", "/readyz", "/metrics"

# The Open Inference Protocol.
V2, V2_LIVE, V2_READY = "/v2", "/v2/health/live", "/v2/health/ready"
V2_MODEL = "/v2/models/{name}"
INFER = re.compile(r"/v2/models/[^/]+(/versions/[^/]+)?/infer")

PICTURE = re.compile(rf"({STYLES}|{PHOTOS})/[^/]+/picture")
# Of a job: whoever knows its id may have the video.
JOB = re.compile(rf"{VIDEO}/([^/]+)(/file)?")
# All that is the service's and not the page's.
SERVICE = re.compile(rf"(/v1|{V2}|{ALIVE}|{READY}|{METRICS})(/.*)?")
OPEN = (ALIVE, READY, V2_LIVE, V2_READY)  # without a login
# Answered while models load, and while the server stops.
ALWAYS = (ALIVE, V2_LIVE, METRICS)
# Whether there are models: answered at once while they load.
WHETHER = (READY, V2_READY)
# What takes forms, and how many files of the largest size.
FORMS = {STYLIZE: 4, STYLES: 1, VIDEO: 4}
# And of all tensors of a request.
TENSORS = 4


def is_picture(path: str) -> bool:
    """Whether it is that of a picture, of which a page shows dozens."""
    return PICTURE.fullmatch(path) is not None


def is_job(path: str) -> bool:
    """Whether it is that of a job, which is asked every second how far it is."""
    found = JOB.fullmatch(path)
    return found is not None and not found[2]


def logged(path: str) -> str:
    """A path as the log has it: without the id of a job but its beginning."""
    found = JOB.fullmatch(path)
    return f"{VIDEO}/{found[1][:4]}...{found[2] or ''}" if found else path
