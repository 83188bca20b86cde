#include "taps/core/message/slice_run.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace taps {

void slice_run::drop(std::size_t n) {
  size_ -= n;
  while (n > 0) {
    auto& front = slices_.front();
    const auto part = std::min(n, front.size());
    front.remove_prefix(part);
    n -= part;
    if (front.empty())
      slices_.pop_front();
  }
}

void slice_run::gather(std::size_t n) {
  std::string bytes;
  bytes.reserve(n);
  while (bytes.size() < n) {
    auto& front = slices_.front();
    const auto part = std::min(n - bytes.size(), front.size());
    bytes.append(front.view().substr(0, part));
    front.remove_prefix(part);
    if (front.empty())
      slices_.pop_front();
  }
  ring<slice> rest;
  rest.push_back(slice::copy_of(bytes));
  while (!slices_.empty())
    rest.push_back(slices_.pop_front());
  slices_ = std::move(rest);
}

}  // namespace taps
