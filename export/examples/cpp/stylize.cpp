// A photo in another's style: stylize adain-fast.onnx photo.ppm style.ppm 0.8 out.ppm
#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

struct Picture {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;  // height rows of width pixels

  Ort::Value tensor(const Ort::MemoryInfo& memory) {  // a view: the picture must outlive it
    const int64_t shape[] = {1, height, width, 3};
    return Ort::Value::CreateTensor<uint8_t>(memory, rgb.data(), rgb.size(), shape, 4);
  }
};

Picture read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int levels = 0;
  Picture picture;
  file >> magic >> picture.width >> picture.height >> levels;
  if (!file || magic != "P6" || levels != 255 || picture.width < 1 || picture.height < 1)
    throw std::runtime_error(path + ": not a binary PPM of 8 bits without comments");
  file.ignore();  // the one byte between header and pixels
  picture.rgb.resize(3 * picture.width * picture.height);
  if (!file.read(reinterpret_cast<char*>(picture.rgb.data()), picture.rgb.size()))
    throw std::runtime_error(path + ": the file ends too early");
  return picture;
}

int main(int argc, char** argv) try {
  if (argc != 6) throw std::runtime_error("usage: stylize MODEL CONTENT STYLE ALPHA OUT");
  Picture content = read(argv[2]), style = read(argv[3]);
  char* end;  // of the number
  float alpha = std::strtof(argv[4], &end);
  if (*end || end == argv[4] || !(alpha >= 0 && alpha <= 1)) throw std::runtime_error("ALPHA: not in 0 to 1");

  // Read as the Env is made.
  if (!std::getenv("ORT_DISABLE_TELEMETRY")) putenv(const_cast<char*>("ORT_DISABLE_TELEMETRY=1"));
  Ort::Env env(ORT_LOGGING_LEVEL_WARNING, "adain");
  Ort::Session session(env, std::filesystem::path(argv[1]).c_str(), Ort::SessionOptions{});
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const int64_t one = 1;
  const char *names[] = {"content", "style", "alpha"}, *output = "stylized";
  Ort::Value inputs[] = {content.tensor(memory), style.tensor(memory),
                         Ort::Value::CreateTensor<float>(memory, &alpha, 1, &one, 1)};
  auto outputs = session.Run(Ort::RunOptions{}, names, inputs, 3, &output, 1);
  std::ofstream file(argv[5], std::ios::binary);
  file << "P6\n" << content.width << " " << content.height << "\n255\n";
  file.write(outputs[0].GetTensorData<char>(), content.rgb.size());  // as large as the content
  if (!file.flush()) throw std::runtime_error(std::string(argv[5]) + ": cannot be written");
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
