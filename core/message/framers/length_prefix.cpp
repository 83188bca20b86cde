#include "taps/core/message/framers/length_prefix.hpp"

#include <array>
#include <string>

namespace taps {

namespace {

class length_prefix_framer final : public framer {
public:
  explicit length_prefix_framer(const length_prefix_options& options) : options_(options) {
    if (options_.width < 8)
      options_.max_length =
          std::min(options_.max_length, (std::uint64_t{1} << (8 * options_.width)) - 1);
  }

  std::string_view name() const noexcept override { return "length_prefix"; }

  result<void> new_sent_message(framer_context& context, slice data, const message_context&,
                                bool end_of_message) override {
    if (end_of_message && partial_.empty())
      return frame(context, std::move(data));
    // The length comes first, so the parts of a Message wait for its last one.
    partial_.append(data.view());
    if (partial_.size() > options_.max_length) {
      partial_.clear();
      return too_large(data.size());
    }
    if (!end_of_message)
      return {};
    auto whole = slice::copy_of(partial_);
    partial_.clear();
    return frame(context, std::move(whole));
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

  length_prefix_options options_;
  std::string partial_;
};

}  // namespace

framer_factory length_prefix(length_prefix_options options) {
  return [options] { return std::make_unique<length_prefix_framer>(options); };
}

}  // namespace taps
