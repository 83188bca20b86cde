// Runs a fuzz target without libFuzzer, so that it is an ordinary test with any compiler:
// random inputs from a printed seed. Arguments: -runs=N, -seed=N, and files to run instead.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// Copied into a block of exactly its size, so that the address sanitizer sees the first byte
// read beyond it.
void run(const std::vector<std::uint8_t>& input) {
  const std::vector<std::uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

// Lengths lean to the short; a tenth of the inputs is made of few different bytes, which hits
// length fields and separators more often than even noise does.
std::vector<std::uint8_t> random_input(std::mt19937_64& random) {
  const std::size_t limit = std::size_t{1} << (random() % 11);
  std::vector<std::uint8_t> input(random() % (limit + 1));
  const bool sparse = random() % 10 == 0;
  for (auto& byte : input)
    byte = static_cast<std::uint8_t>(sparse ? random() % 4 : random());
  return input;
}

bool run_file(const char* name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", name);
    return false;
  }
  run({std::istreambuf_iterator<char>(file), {}});
  std::printf("ran %s\n", name);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t runs = 10'000;
  std::uint64_t seed = std::random_device{}();
  bool files = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.substr(0, 6) == "-runs=") {
      runs = std::strtoull(argv[i] + 6, nullptr, 10);
    } else if (argument.substr(0, 6) == "-seed=") {
      seed = std::strtoull(argv[i] + 6, nullptr, 10);
    } else {
      files = true;
      if (!run_file(argv[i]))
        return EXIT_FAILURE;
    }
  }
  if (files)
    return EXIT_SUCCESS;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::mt19937_64 random(seed);
  for (std::uint64_t i = 0; i < runs; ++i)
    run(random_input(random));
  std::printf("%llu runs\n", static_cast<unsigned long long>(runs));
}
