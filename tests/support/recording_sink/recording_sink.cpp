#include "taps/tests/support/recording_sink/recording_sink.hpp"

namespace taps::testing {

// -- recording_sink ---------------------------------------------------------------

void recording_sink::adopt(std::unique_ptr<protocol> x) {
  instance = std::move(x);
  queue.emplace(instance->descriptor().unit);
  instance->set_sink(*this);
}

send_id recording_sink::send(slice bytes, bool final) {
  if (queue->empty() && instance && queue->completions().empty())
    queue.emplace(instance->descriptor().unit);
  outbound piece;
  piece.data = std::move(bytes);
  piece.final = final;
  queue->push(std::move(piece));
  queue->mark(next_id_);
  flush();
  return next_id_++;
}

void recording_sink::on_ready() {
  ++ready;
  flush();
  call("ready");
}

void recording_sink::on_writable() {
  ++writable;
  flush();
  call("writable");
}

void recording_sink::on_data(slice bytes, const inbound_info& info) {
  data += bytes.view();
  pieces.push_back(bytes.str());
  infos.push_back(info);
  finals += info.final;
  call("data");
}

void recording_sink::on_closed() {
  closed = true;
  ++terminals;
  call("closed");
}

void recording_sink::on_failed(error reason) {
  failure = std::move(reason);
  ++terminals;
  call("failed");
}

// -- recording_acceptor_sink ---------------------------------------------------------

void recording_acceptor_sink::on_accepted(std::unique_ptr<protocol> instance) {
  auto& sink = accepted.emplace_back(std::make_unique<recording_sink>());
  sink->adopt(std::move(instance));
  if (hook)
    hook(*sink);
}

// -- running ----------------------------------------------------------------------

bool run_until(reactor& loop, const std::function<bool()>& done) {
  bool late = false;
  timer limit{[](void* x) { *static_cast<bool*>(x) = true; }, &late};
  loop.timers().schedule(limit, loop.os().now() + std::chrono::minutes{1});
  for (;;) {
    loop.run_deferred();
    if (done())
      return true;
    if (late)
      return false;
    loop.poll(true);
  }
}

void settle(reactor& loop) {
  for (int quiet = 0; quiet < 3;) {
    const auto deferred = loop.run_deferred();
    const auto polled = loop.poll(false);
    quiet = deferred || polled ? 0 : quiet + 1;
  }
}

}  // namespace taps::testing
