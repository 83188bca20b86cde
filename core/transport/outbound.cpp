#include "taps/core/transport/outbound.hpp"

#include <utility>

namespace taps {

namespace {

/// Forgets what was taken off the front, now and then, so that it costs nothing on average.
template<class T>
void drop_taken(std::vector<T>& xs, std::size_t& first) {
  if (first == xs.size()) {
    xs.clear();
    first = 0;
  } else if (first >= 64 && first * 2 >= xs.size()) {
    xs.erase(xs.begin(), xs.begin() + static_cast<std::ptrdiff_t>(first));
    first = 0;
  }
}

}  // namespace

// -- filling ----------------------------------------------------------------------

void outbound_queue::push(outbound piece) {
  pushed_ += piece.data.size();
  if (coalesce_ && !empty() && !pieces_.back().final &&
      pieces_.back().data.try_extend(piece.data)) {
    pieces_.back().end_of_message = piece.end_of_message;
    pieces_.back().final = piece.final;
    return;
  }
  pieces_.push_back(std::move(piece));
}

void outbound_queue::mark(send_id id) {
  marks_.push_back({gone_ + (pieces_.size() - first_), pushed_, id});
}

// -- draining ---------------------------------------------------------------------

bool outbound_queue::consume(std::size_t n) {
  bool final = false;
  taken_ += n;
  while (!empty() && pieces_[first_].data.size() <= n) {
    n -= pieces_[first_].data.size();
    final = final || pieces_[first_].final;
    drop_front();
  }
  if (n > 0)
    pieces_[first_].data.remove_prefix(n);
  drop_taken(pieces_, first_);
  complete_marks(nullptr);
  return final;
}

void outbound_queue::complete_message(const error& failure) {
  bool last = false;
  while (!empty() && !last) {
    last = pieces_[first_].end_of_message;
    taken_ += pieces_[first_].data.size();
    drop_front();
  }
  drop_taken(pieces_, first_);
  complete_marks(failure ? std::make_shared<error>(failure) : nullptr);
}

// -- helpers ----------------------------------------------------------------------

void outbound_queue::complete_marks(const std::shared_ptr<const error>& failure) {
  // Pieces of a byte stream may have grown together, so there only bytes count.
  const auto out = [this](const marker& x) {
    return coalesce_ ? x.bytes <= taken_ : x.pieces <= gone_;
  };
  while (first_mark_ < marks_.size() && out(marks_[first_mark_]))
    completions_.push_back({marks_[first_mark_++].id, failure});
  drop_taken(marks_, first_mark_);
}

void outbound_queue::drop_front() {
  auto& piece = pieces_[first_++];
  ++gone_;
  piece.data = {};
  piece.properties.reset();
}

}  // namespace taps
