"""Jobs that stylize videos: their queue, the process of each, their routes."""

# The name of the video in the folder of its job.
CONTENT = "content"
