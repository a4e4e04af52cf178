// Replays seed files through a fuzz harness where libFuzzer is not linked: each file whole, then
// every prefix of the small ones, since a parser meets cut input all day long.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  constexpr std::size_t prefixes_up_to = 2000;
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::vector<char> seed((std::istreambuf_iterator<char>(in)), {});
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(seed.data());
      LLVMFuzzerTestOneInput(bytes, seed.size());
      for (std::size_t n = 0; seed.size() <= prefixes_up_to && n < seed.size(); ++n) LLVMFuzzerTestOneInput(bytes, n);
      ++files;
    }
  }
  std::printf("%zu seeds replayed\n", files);
  return files == 0 ? 1 : 0;  // a harness without seeds would be a test that cannot fail
}
