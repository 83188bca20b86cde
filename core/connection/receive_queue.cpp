#include "taps/core/connection/receive_queue.hpp"

#include <algorithm>

namespace taps {

// -- inputs -----------------------------------------------------------------------------

void receive_queue::request(const receive_request& what) {
  requests_.push_back(what);
  requests_.back().min_incomplete_length = std::min(what.min_incomplete_length, what.max_length);
}

void receive_queue::push(const message_context& context, slice data, bool end_of_message) {
  if (data.empty() && end_of_message && !pieces_.empty() && !pieces_.back().end_of_message) {
    pieces_.back().end_of_message = true;
    return;
  }
  bytes_ += data.size();
  pieces_.push_back({context, std::move(data), end_of_message});
}

void receive_queue::end(error failure) {
  if (std::exchange(ended_, true))
    return;
  end_reason_ =
      failure ? std::move(failure) : error{errc::no_more_data, "the peer has finished sending"};
}

void receive_queue::terminate(const error& reason) {
  ended_ = true;
  end_reason_ = reason;
  // The data's own end does not count any more: only the failure is left to tell.
  end_told_ = true;
}

// -- outputs ----------------------------------------------------------------------------

std::optional<delivery> receive_queue::next() {
  if (requests_.empty())
    return std::nullopt;
  const auto have = first_message();
  const auto& request = requests_.front();
  if (!pieces_.empty() && satisfied(request, have)) {
    auto result = take_message(request.max_length, have);
    answer_request();
    return result;
  }
  if (!ended_)
    return std::nullopt;
  auto result = take_end();
  if (result.kind == delivery::kind_type::receive_error)
    requests_.pop_front();
  else
    answer_request();
  return result;
}

receive_queue::extent receive_queue::first_message() const noexcept {
  extent result;
  for (std::size_t i = 0; i < pieces_.size() && !result.complete; ++i) {
    result.bytes += pieces_[i].data.size();
    result.complete = pieces_[i].end_of_message;
  }
  return result;
}

bool receive_queue::satisfied(const receive_request& by, const extent& have) const noexcept {
  if (have.complete)
    return true;
  // What is left of a Message that will not be finished goes out as it is.
  if (ended_)
    return have.bytes > 0;
  if (have.bytes >= by.max_length)
    return true;
  const auto minimum = by.min_incomplete_length == receive_request::unlimited && endless_
                           ? std::size_t{1}
                           : by.min_incomplete_length;
  return have.bytes > 0 && have.bytes >= minimum;
}

delivery receive_queue::take_message(std::size_t limit, const extent& have) {
  delivery result;
  result.context = pieces_.front().context;
  const auto whole = have.complete && have.bytes <= limit;
  // A byte stream is handed on as it was read, without joining pieces that no one asked to join.
  const auto wanted =
      endless_ && !whole && requests_.front().min_incomplete_length == receive_request::unlimited
          ? std::min(limit, pieces_.front().data.size())
          : std::min(limit, have.bytes);
  result.data = take_bytes(wanted);
  result.end_of_message = whole;
  result.kind = whole && !started_ && !endless_ ? delivery::kind_type::received
                                                : delivery::kind_type::received_partial;
  started_ = !whole;
  end_told_ = end_told_ || (endless_ && whole);
  return result;
}

slice receive_queue::take_bytes(std::size_t n) {
  bytes_ -= n;
  auto& front = pieces_.front();
  if (front.data.size() > n) {
    auto result = front.data.sub(0, n);
    front.data.remove_prefix(n);
    return result;
  }
  if (front.data.size() == n)
    return std::move(pieces_.pop_front().data);
  std::string joined;
  joined.reserve(n);
  while (joined.size() < n) {
    auto& next = pieces_.front();
    const auto part = std::min(n - joined.size(), next.data.size());
    joined.append(next.data.view().substr(0, part));
    next.data.remove_prefix(part);
    if (next.data.empty())
      pieces_.pop_front();
  }
  return slice::copy_of(joined);
}

delivery receive_queue::take_end() {
  delivery result;
  result.kind = delivery::kind_type::receive_error;
  result.failure = end_reason_;
  if (endless_ && !std::exchange(end_told_, true)) {
    result.kind = delivery::kind_type::received_partial;
    result.failure = {};
    result.context.set_final(true);
  }
  return result;
}

void receive_queue::answer_request() noexcept {
  if (--requests_.front().count == 0)
    requests_.pop_front();
}

}  // namespace taps
