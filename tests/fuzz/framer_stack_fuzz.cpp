// What a peer may send through framers. However a byte stream is cut, the Messages are the same; a
// datagram owes nothing to the one before; and what one stack frames the other one reads.

#include "taps/core/message/framer_stack.hpp"
#include "taps/core/message/framers/length_prefix.hpp"
#include "taps/tests/fuzz/fuzz_input.hpp"

#include <vector>

using namespace taps;
using namespace taps::testing;

namespace {

/// Delivers in parts, with data of its own between them, and skips bytes that have not come yet:
/// "2xab---" is "<ab>" if 'x' says to skip three.
class chunks final : public framer {
public:
  std::string_view name() const noexcept override { return "chunks"; }

  result<void> new_sent_message(framer_context& x, slice data, const message_context&,
                                bool) override {
    x.send(std::move(data));
    return {};
  }

  void handle_received_data(framer_context& x) override {
    while (auto head = x.parse(2, 2)) {
      const auto size = std::to_integer<std::size_t>(head->bytes[0]) % 16;
      const auto skip = std::to_integer<std::size_t>(head->bytes[1]) % 4;
      x.advance_receive_cursor(2);
      x.deliver(x.inbound_context(), slice::borrow_static("<"), false);
      x.deliver_and_advance_receive_cursor(x.inbound_context(), size, false);
      x.deliver(x.inbound_context(), slice::borrow_static(">"), true);
      x.advance_receive_cursor(skip);
    }
  }
};

/// What came out of a stack, as one text.
struct transcript final : framer_stack_sink {
  void on_framers_ready() override {}
  void on_framers_stopped() override {}
  void on_framer_failed(error reason) override {
    require(!failed, "a stack fails once");
    require(!reason.text().empty(), "a failure has a text");
    failed = true;
    text += "failed: " + reason.text();
  }
  void on_broken_message(error reason) override {
    require(!failed, "nothing comes after a failure");
    text += "broken: " + reason.text() + "|";
    current.clear();
  }
  void on_deliver(const message_context&, slice data, bool end) override {
    require(!failed, "nothing comes after a failure");
    current += data.view();
    if (!end)
      return;
    text += std::to_string(current.size()) + ":" + current + "|";
    current.clear();
  }

  std::string text;
  std::string current;
  bool failed = false;
};

/// A stack with its sink.
struct reader {
  reader(const std::vector<framer_factory>& framers, data_unit unit)
      : memory(pool), stack(framers, unit, memory) {
    stack.set_sink(heard);
    stack.start();
  }

  void take(std::string_view bytes, bool end_of_datagram = false) {
    stack.receive(slice::copy_of(bytes), context, end_of_datagram);
  }

  /// As if it came from the kernel: next to its predecessor in memory.
  void take_pooled(std::string_view bytes) {
    stack.receive(memory.copy(std::as_bytes(std::span{bytes})), context, false);
  }

  std::string outcome() {
    // What is kept for a failed stack does not matter any more.
    return heard.text + (heard.failed             ? ""
                         : stack.inside_message() ? "inside a message: " + heard.current
                                                  : "at its end");
  }

  buffer_pool pool;
  arena memory;
  transcript heard;
  message_context context;
  framer_stack stack;
};

std::vector<framer_factory> some_framers(fuzz_input& input) {
  std::vector<framer_factory> result;
  for (auto depth = 1 + input.below(3); depth > 0; --depth) {
    const auto kind = input.byte();
    if (kind % 4 == 0)
      result.emplace_back(std::make_unique<chunks>);
    else
      result.push_back(length_prefix(
          {.width = 1 + kind % 8u, .max_length = kind < 128 ? 40u : ~std::uint64_t{0}}));
  }
  return result;
}

void cut_a_stream(const std::vector<framer_factory>& framers, fuzz_input& input) {
  const auto cuts = input.bytes(4);
  const auto wire = input.rest();
  reader whole{framers, data_unit::byte_stream};
  whole.take(wire);
  reader single{framers, data_unit::byte_stream};
  for (auto byte : wire)
    single.take_pooled({&byte, 1});
  reader pieces{framers, data_unit::byte_stream};
  std::size_t turn = 0;
  for (std::size_t at = 0; at < wire.size();) {
    const auto n = cuts.empty() ? 3 : 1 + static_cast<std::uint8_t>(cuts[turn % cuts.size()]) % 40u;
    pieces.take(wire.substr(at, n));
    at += n;
    ++turn;
  }
  require(single.outcome() == whole.outcome(), "single bytes give the same",
          single.outcome() + "\n" + whole.outcome());
  require(pieces.outcome() == whole.outcome(), "pieces give the same",
          pieces.outcome() + "\n" + whole.outcome());
}

void send_datagrams(const std::vector<framer_factory>& framers, fuzz_input& input) {
  reader all{framers, data_unit::datagram};
  std::string expected;
  while (!input.empty() && !all.heard.failed) {
    const auto datagram = input.bytes(input.below(40));
    reader alone{framers, data_unit::datagram};
    alone.take(datagram, true);
    all.take(datagram, true);
    expected += alone.heard.text;
    require(alone.heard.failed || !alone.stack.inside_message(), "nothing is left of a datagram");
    require(all.heard.text == expected, "datagrams stand alone", all.heard.text + "\n" + expected);
  }
}

void send_and_read(fuzz_input& input) {
  std::vector<framer_factory> framers;
  for (auto depth = 1 + input.below(3); depth > 0; --depth)
    framers.push_back(length_prefix(
        {.width = 1 + static_cast<unsigned>(input.below(8)), .max_length = 1 + input.below(255)}));
  reader from{framers, data_unit::byte_stream};
  reader to{framers, data_unit::byte_stream};
  std::string expected;
  std::string message;
  bool refused = false;
  while (!input.empty()) {
    const auto end = input.below(3) > 0;
    // Long ones are not copied behind their header.
    auto part = std::string{input.bytes(input.below(64))};
    if (input.below(8) == 0)
      part.resize(part.size() * 30);
    refused = !from.stack.send(slice::copy_of(part), {}, end) || refused;
    message += part;
    if (!end)
      continue;
    if (!refused)
      expected += std::to_string(message.size()) + ":" + message + "|";
    message.clear();
    refused = false;
  }
  require(!from.heard.failed, "a refused Send fails alone", from.heard.text);
  for (const auto& x : from.stack.queue().pieces())
    to.take(x.data.view());
  require(to.outcome() == expected + "at its end", "what was sent is read",
          to.outcome() + "\n" + expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  switch (input.below(3)) {
  case 0:
    cut_a_stream(some_framers(input), input);
    break;
  case 1:
    send_datagrams(some_framers(input), input);
    break;
  default:
    send_and_read(input);
  }
  return 0;
}
