"""Pieces of the graph around a model's parts, in ONNX's text form: `adain.learning.onnx.whole`."""

from adain import contract

# The places that a row's, or a column's, values come from: reflected up to the stride. ONNX has a
# Pad for it, which takes no more than the picture has: one pixel less than its side, and gave
# unrepeatable pictures beyond that in ONNX Runtime up to 1.24.
PLACES = """
places (int64 side) => (int64[padded] places) {
    zero = Constant <value = int64 {0}> ()
    one = Constant <value = int64 {1}> ()
    stride = Constant <value = int64 {STRIDE}> ()
    nearly = Constant <value = int64 {NEARLY}> ()
    smallest = Constant <value = int64 {SMALLEST}> ()
    over = Add (side, nearly)
    strides = Div (over, stride)
    multiple = Mul (strides, stride)
    padded = Max (multiple, smallest)
    all = Range (zero, padded, one)
    last = Sub (side, one)
    twice = Add (last, last)
    period = Max (twice, one)
    phase = Mod (all, period)
    past = Sub (phase, last)
    behind = Abs (past)
    places = Sub (last, behind)
}
"""
SIDES = """
sides (float[N, H, W, 3] float) => (int64 height, int64 width) {
    sides = Shape (float)
    one = Constant <value = int64 {1}> ()
    two = Constant <value = int64 {2}> ()
    height = Gather (sides, one)
    width = Gather (sides, two)
}
"""
# As many pictures as there are contents, styles or strengths; each of these is there once, or as
# often. Broadcasting would do it too, but tools that infer shapes (symbolic_shape_infer
# --auto_merge) then take the numbers for the same, and the file fails where they are not.
BATCH = """
batch (float[N, H, W, 3] contents, float[M, K, 1, 1] styles, float[A] strengths)
    => (int64[B] of_content, int64[B] of_style, int64[B] of_strength) {
    zero = Constant <value = int64 {0}> ()
    one = Constant <value = int64 {1}> ()
    content_shape = Shape <start = 0, end = 1> (contents)
    style_shape = Shape <start = 0, end = 1> (styles)
    strength_shape = Shape <start = 0, end = 1> (strengths)
    content_count = Squeeze (content_shape)
    style_count = Squeeze (style_shape)
    strength_count = Squeeze (strength_shape)
    count = Max (content_count, style_count, strength_count)
    all = Range (zero, count, one)
    content_last = Sub (content_count, one)
    style_last = Sub (style_count, one)
    strength_last = Sub (strength_count, one)
    content_step = Min (content_last, one)
    style_step = Min (style_last, one)
    strength_step = Min (strength_last, one)
    of_content = Mul (all, content_step)
    of_style = Mul (all, style_step)
    of_strength = Mul (all, strength_step)
}
"""
TO_FLOAT = """
to_float (uint8[N, H, W, 3] picture) => (float[N, H, W, 3] float) {
    float = Cast <to = 1> (picture)
}
"""
# Pictures are chosen and their rows padded in one go.
PAD_BATCH = """
pad (float[N, H, W, 3] float, int64[B] pictures, int64 height, int64[height] rows,
    int64[width] columns) => (float[B, height, width, 3] padded) {
    second = Constant <value = int64[1] {1}> ()
    first_rows = Mul (pictures, height)
    first_rows_each = Unsqueeze (first_rows, second)
    rows_each = Add (first_rows_each, rows)
    all_rows = Flatten <axis = 2> (float)
    chosen = Gather <axis = 0> (all_rows, rows_each)
    shape = Constant <value = int64[4] {0, 0, -1, 3}> ()
    pixels = Reshape (chosen, shape)
    padded = Gather <axis = 2> (pixels, columns)
}
"""
PAD = """
pad (float[N, H, W, 3] float, int64[height] rows, int64[width] columns)
    => (float[N, height, width, 3] padded) {
    higher = Gather <axis = 1> (float, rows)
    padded = Gather <axis = 2> (higher, columns)
}
"""
TO_PLANES = """
to_planes (float[N, height, width, 3] padded) => (float[N, 3, height, width] image) {
    planar = Transpose <perm = [0, 3, 1, 2]> (padded)
    white = Constant <value = float {255.0}> ()
    image = Div (planar, white)
}
"""
CHOOSE = """
choose (float[M, K, 1, 1] styles, int64[B] of_style, float[A] strengths, int64[B] of_strength)
    => (float[B, K, 1, 1] style, float[B, 1, 1, 1] strength) {
    style = Gather <axis = 0> (styles, of_style)
    chosen = Gather <axis = 0> (strengths, of_strength)
    shape = Constant <value = int64[4] {-1, 1, 1, 1}> ()
    strength = Reshape (chosen, shape)
}
"""
# Back to uint8 NHWC. Casting cuts off what is behind the point; Round is missing in some runtimes
# of browsers.
TO_PIXELS = """
to_pixels (float[N, 3, height, width] image) => (float[N, height, width, 3] pixels) {
    white = Constant <value = float {255.0}> ()
    scaled = Mul (image, white)
    half = Constant <value = float {0.5}> ()
    above = Add (scaled, half)
    pixels = Transpose <perm = [0, 2, 3, 1]> (above)
}
"""
# Not Slice, of which tools that infer shapes cannot tell that it cuts at all.
CUT = """
cut (float[N, height, width, 3] pixels, int64 H, int64 W) => (float[N, H, W, 3] cut) {
    zero = Constant <value = int64 {0}> ()
    one = Constant <value = int64 {1}> ()
    rows = Range (zero, H, one)
    columns = Range (zero, W, one)
    lower = Gather <axis = 1> (pixels, rows)
    cut = Gather <axis = 2> (lower, columns)
}
"""
CUT_TO_SIZE = """
cut (float[N, height, width, 3] pixels, int64[2] size) => (float[N, H, W, 3] cut) {
    start = Constant <value = int64[2] {0, 0}> ()
    axes = Constant <value = int64[2] {1, 2}> ()
    cut = Slice (pixels, start, size, axes)
}
"""
TO_BYTES = """
to_bytes (float[N, H, W, 3] cut) => (uint8[N, H, W, 3] stylized) {
    stylized = Cast <to = 2> (cut)
}
"""
# One strength for all pictures: broadcasting what is 1 for certain misleads no tool.
ONE_STRENGTH = """
one_strength (float[1] strengths) => (float[1, 1, 1, 1] strength) {
    shape = Constant <value = int64[4] {1, 1, 1, 1}> ()
    strength = Reshape (strengths, shape)
}
"""
ONE_STYLE = f"""
adain_one_style (uint8[N, H, W, 3] {contract.WHOLE_CONTENT}, float[1] {contract.WHOLE_ALPHA})
    => (uint8[N, H, W, 3] {contract.WHOLE_STYLIZED}) {{}}
"""
WHOLE = f"""
adain (uint8[N, H, W, 3] {contract.WHOLE_CONTENT}, uint8[M, Hs, Ws, 3] {contract.WHOLE_STYLE},
    float[A] {contract.WHOLE_ALPHA}) => (uint8[N, H, W, 3] {contract.WHOLE_STYLIZED}) {{}}
"""
