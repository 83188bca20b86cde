#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace taps::testing {

/// Ends a fuzz target whose expectation does not hold; the input is then what the driver or
/// libFuzzer writes down.
inline void require(bool holds, std::string_view what, std::string_view detail = {}) {
  if (holds)
    return;
  std::cerr << "not so: " << what << '\n' << detail << '\n';
  std::abort();
}

/// Takes an input apart; after its end all is 0.
class fuzz_input {
public:
  fuzz_input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  std::uint8_t byte() {
    if (rest_.empty())
      return 0;
    const auto result = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return result;
  }

  /// Returns a number in `[0, bound)`.
  std::size_t below(std::size_t bound) { return byte() % bound; }

  /// Returns up to `n` bytes.
  std::string_view bytes(std::size_t n) {
    const auto result = rest_.substr(0, n);
    rest_.remove_prefix(result.size());
    return result;
  }

  std::string_view rest() { return bytes(rest_.size()); }

  /// Returns the rest as text: as it is, or for noise to make sense more often, with letters of
  /// `alphabet`.
  std::string text(std::string_view alphabet) {
    const auto raw = byte() % 4 == 0;
    std::string result{rest()};
    if (!raw)
      for (auto& c : result)
        c = alphabet[static_cast<std::uint8_t>(c) % alphabet.size()];
    return result;
  }

private:
  std::string_view rest_;
};

}  // namespace taps::testing
