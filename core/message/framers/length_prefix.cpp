#include "taps/core/message/framers/length_prefix.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace taps {

namespace {

class length_prefix_framer final : public framer {
public:
  explicit length_prefix_framer(const length_prefix_options& options) : options_(options) {
    if (valid() && options_.width < 8)
      options_.max_length =
          std::min(options_.max_length, (std::uint64_t{1} << (8 * options_.width)) - 1);
    options_.max_length =
        std::min<std::uint64_t>(options_.max_length, std::numeric_limits<std::size_t>::max());
  }

  std::string_view name() const noexcept override { return "length_prefix"; }

  void start(framer_context& context) override {
    if (valid())
      context.make_connection_ready();
    else
      context.fail_connection(
          {errc::invalid_configuration,
           "length_prefix: width is " + std::to_string(options_.width) + ": must be 1 to 8"});
  }

  result<void> new_sent_message(framer_context& context, slice data, const message_context&,
                                bool end_of_message) override {
    if (end_of_message && partial_.empty() && refused_ == 0)
      return frame(context, std::move(data));
    // The length comes first, so the parts of a Message wait for its last one; and the parts that
    // follow a refused one are no Message of their own.
    const auto size = refused_ + partial_.size() + data.size();
    if (size > options_.max_length) {
      refused_ = end_of_message ? 0 : size;
      partial_ = {};
      return too_large(size);
    }
    partial_.append(data.view());
    if (!end_of_message)
      return {};
    return frame(context, slice::copy_of(std::exchange(partial_, {})));
  }

  void handle_received_data(framer_context& context) override {
    while (auto header = context.parse(options_.width, options_.width)) {
      std::uint64_t length = 0;
      for (auto byte : header->bytes)
        length = (length << 8) | std::to_integer<std::uint64_t>(byte);
      if (length > options_.max_length) {
        context.fail_connection({errc::deframing_failed,
                                 "length_prefix: the peer announced a Message of " +
                                     std::to_string(length) + " bytes, more than the limit of " +
                                     std::to_string(options_.max_length)});
        return;
      }
      context.advance_receive_cursor(options_.width);
      context.deliver_and_advance_receive_cursor(context.inbound_context(),
                                                 static_cast<std::size_t>(length), true);
    }
  }

private:
  result<void> frame(framer_context& context, slice data) {
    if (data.size() > options_.max_length)
      return too_large(data.size());
    std::array<std::byte, 8> header;
    for (unsigned i = 0; i < options_.width; ++i)
      header[i] = static_cast<std::byte>(data.size() >> (8 * (options_.width - 1 - i)));
    context.send({header.data(), options_.width}, std::move(data));
    return {};
  }

  result<void> too_large(std::size_t size) const {
    return error{errc::message_too_large, "length_prefix: a Message of " + std::to_string(size) +
                                              " bytes exceeds the framer's limit of " +
                                              std::to_string(options_.max_length)};
  }

  [[nodiscard]] bool valid() const noexcept { return options_.width >= 1 && options_.width <= 8; }

  length_prefix_options options_;
  /// What there is of a Message that is sent in parts; how long it is by now when it was refused.
  std::string partial_;
  std::size_t refused_ = 0;
};

}  // namespace

framer_factory length_prefix(length_prefix_options options) {
  return [options] { return std::make_unique<length_prefix_framer>(options); };
}

}  // namespace taps
