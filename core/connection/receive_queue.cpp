#include "taps/core/connection/receive_queue.hpp"

#include <algorithm>

namespace taps {

using kind = connection_event::kind_type;

// -- inputs -----------------------------------------------------------------------------

void receive_queue::request(const receive_request& what) { requests_.push_back(what); }

void receive_queue::push(const message_context& context, slice data, bool end_of_message) {
  if (data.empty() && !end_of_message)
    return;
  const auto open = !pieces_.empty() && !pieces_.back().end_of_message;
  bytes_ += data.size();
  // Else a Message that comes byte by byte would take many times its size.
  if (open && (data.empty() || (!endless_ && pieces_.back().data.try_extend(data))))
    grow_last(data.size(), end_of_message);
  else
    pieces_.push_back({context, std::move(data), end_of_message});
}

void receive_queue::push_broken(error reason) {
  pieces_.push_back({{}, {}, true, std::make_shared<error>(std::move(reason))});
}

void receive_queue::grow_last(std::size_t n, bool end_of_message) noexcept {
  pieces_.back().end_of_message = end_of_message;
  if (first_.pieces == pieces_.size()) {
    first_.bytes += n;
    first_.complete = end_of_message;
  }
}

void receive_queue::end(error failure) {
  if (std::exchange(ended_, true))
    return;
  if (!failure)
    failure = {errc::no_more_data, "the peer has finished sending"};
  end_reason_ = std::make_shared<error>(std::move(failure));
}

void receive_queue::terminate(const error& reason) {
  ended_ = true;
  end_reason_ = std::make_shared<error>(reason);
  // The data's own end does not count any more: only the failure is left to tell.
  end_told_ = true;
}

// -- outputs ----------------------------------------------------------------------------

/// Tells whether the data that is here answers the first request.
bool receive_queue::has_answer() noexcept {
  if (pieces_.empty())
    return false;
  const auto& have = first_message();
  return have.broken || satisfied(requests_.front(), have);
}

void receive_queue::take(connection_event& out) {
  if (!has_answer()) {
    take_end(out);
    if (out.kind == kind::receive_error)
      requests_.pop_front();
    else
      answer_request();
    return;
  }
  if (first_.broken)
    drop_message(out);
  else
    take_message(requests_.front(), extent{first_}, out);
  answer_request();
}

const receive_queue::extent& receive_queue::first_message() noexcept {
  while (first_.pieces < pieces_.size() && !first_.complete) {
    const auto& next = pieces_[first_.pieces++];
    first_.bytes += next.data.size();
    first_.complete = next.end_of_message;
    first_.broken = next.failure != nullptr;
  }
  return first_;
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

void receive_queue::take_message(const receive_request& by, const extent& have,
                                 connection_event& out) {
  const auto whole = have.complete && have.bytes <= by.max_length;
  out.context = pieces_.front().context;
  // A byte stream is handed on as it was read, without joining pieces that no one asked to join.
  const auto first = pieces_.front().data.size();
  const auto alone = endless_ && (by.min_incomplete_length == receive_request::unlimited ||
                                  first >= by.min_incomplete_length);
  const auto ends = whole && (!alone || pieces_.size() == 1);
  out.data = take_bytes(std::min(by.max_length, alone ? first : have.bytes));
  out.end_of_message = ends;
  out.kind = ends && !started_ && !endless_ ? kind::received : kind::received_partial;
  started_ = !ends;
  end_told_ = end_told_ || (endless_ && ends);
}

void receive_queue::drop_message(connection_event& out) {
  bytes_ -= first_.bytes;
  while (first_.pieces > 1)
    pop_piece();
  out.kind = kind::receive_error;
  out.failure = pop_piece().failure;
  started_ = false;
}

receive_queue::piece receive_queue::pop_piece() {
  if (--first_.pieces == 0)
    first_ = {};
  return pieces_.pop_front();
}

slice receive_queue::take_bytes(std::size_t n) {
  bytes_ -= n;
  first_.bytes -= n;
  auto& front = pieces_.front();
  if (front.data.size() > n) {
    auto result = front.data.sub(0, n);
    front.data.remove_prefix(n);
    return result;
  }
  if (front.data.size() == n)
    return pop_piece().data;
  std::string joined;
  joined.reserve(n);
  while (joined.size() < n) {
    auto& next = pieces_.front();
    const auto part = std::min(n - joined.size(), next.data.size());
    joined.append(next.data.view().substr(0, part));
    next.data.remove_prefix(part);
    if (next.data.empty())
      pop_piece();
  }
  return slice::copy_of(joined);
}

void receive_queue::take_end(connection_event& out) {
  if (endless_ && !std::exchange(end_told_, true)) {
    out.kind = kind::received_partial;
    out.context.set_final(true);
    return;
  }
  out.kind = kind::receive_error;
  out.failure = end_reason_;
}

void receive_queue::answer_request() noexcept {
  if (--requests_.front().count == 0)
    requests_.pop_front();
}

}  // namespace taps
