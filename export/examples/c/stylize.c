/* A photo in another's style: stylize adain-fast.onnx photo.ppm style.ppm 0.8 out.ppm */
#define _POSIX_C_SOURCE 200112L
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  int64_t shape[4]; /* 1, height, width, 3 */
  uint8_t *rgb;
  size_t size;
} Picture;

static const OrtApi *ort;

static void fail(const char *name, const char *reason) {
  fprintf(stderr, "%s: %s\n", name, reason);
  exit(1);
}

static void check(OrtStatus *status) {
  if (status) fail("ONNX Runtime", ort->GetErrorMessage(status));
}

static Picture read_picture(const char *path) {
  const char *allowed = "not a binary PPM of 8 bits without comments";
  long long width, height;
  int levels;
  FILE *file = fopen(path, "rb");
  if (!file || fscanf(file, "P6 %lld %lld %d", &width, &height, &levels) != 3 || levels != 255 ||
      width < 1 || height < 1)
    fail(path, allowed);
  fgetc(file); /* the one byte between header and pixels */
  Picture picture = {{1, height, width, 3}, NULL, (size_t)3 * width * height};
  picture.rgb = malloc(picture.size);
  if (!picture.rgb) fail(path, "too large for the memory");
  if (fread(picture.rgb, 1, picture.size, file) != picture.size)
    fail(path, "the file ends too early");
  fclose(file);
  return picture;
}

static OrtValue *tensor(const OrtMemoryInfo *memory, void *data, size_t bytes, const int64_t *shape,
                        size_t rank, ONNXTensorElementDataType type) {
  OrtValue *value = NULL; /* a view: the data must outlive it */
  check(ort->CreateTensorWithDataAsOrtValue(memory, data, bytes, shape, rank, type, &value));
  return value;
}

int main(int argc, char **argv) {
  if (argc != 6) fail("usage", "stylize MODEL CONTENT STYLE ALPHA OUT");
  Picture content = read_picture(argv[2]), style = read_picture(argv[3]);
  char *end; /* of the number */
  float alpha = strtof(argv[4], &end);
  if (*end || end == argv[4] || !(alpha >= 0 && alpha <= 1)) fail("ALPHA", "not in 0 to 1");

  setenv("ORT_DISABLE_TELEMETRY", "1", 0); /* read as the environment is made */
  ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  if (!ort) fail("ONNX Runtime", "older than the headers this was built with");
  OrtEnv *env;
  OrtSessionOptions *options;
  OrtSession *session;
  OrtMemoryInfo *memory;
  check(ort->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "adain", &env));
  check(ort->CreateSessionOptions(&options));
  check(ort->CreateSession(env, argv[1], options, &session)); /* the path is of wchar_t on Windows */
  check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));

  const int64_t one = 1;
  const char *names[] = {"content", "style", "alpha"}, *output = "stylized";
  const ONNXTensorElementDataType bytes = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
  const OrtValue *inputs[] = {
      tensor(memory, content.rgb, content.size, content.shape, 4, bytes),
      tensor(memory, style.rgb, style.size, style.shape, 4, bytes),
      tensor(memory, &alpha, sizeof alpha, &one, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)};
  OrtValue *stylized = NULL; /* as large as the content */
  check(ort->Run(session, NULL, names, inputs, 3, &output, 1, &stylized));
  void *rgb;
  check(ort->GetTensorMutableData(stylized, &rgb));

  FILE *file = fopen(argv[5], "wb");
  if (!file ||
      fprintf(file, "P6\n%lld %lld\n255\n", (long long)content.shape[2],
              (long long)content.shape[1]) < 0 ||
      fwrite(rgb, 1, content.size, file) != content.size || fclose(file))
    fail(argv[5], "cannot be written");
  return 0;
}
