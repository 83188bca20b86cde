#pragma once

#include "taps/core/base/result.hpp"
#include "taps/core/endpoint/socket_address.hpp"
#include "taps/core/properties/message_properties.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taps {

/// What goes along with a Message: its properties on the way out, and on the way in where it came
/// from and how (RFC 9622, section 9.1.1). A value: Send takes a snapshot, so a context may be
/// changed and used again. Cheap to copy; without any setting it allocates nothing.
class message_context {
public:
  message_context() noexcept = default;

  // -- Message Properties ------------------------------------------------------------

  /// Sets a Message Property by name (RFC 9622, section 9.1.3); unknown names and values out of
  /// range are errors and change nothing.
  result<void> add(std::string_view property, const property_value& value);

  [[nodiscard]] const message_properties& properties() const noexcept;

  /// Replaces all properties at once.
  message_context& with_properties(message_properties properties);

  /// The Message may arrive more than once, or as early data: what plain datagrams and 0-RTT ask
  /// for.
  message_context& with_safely_replayable(bool value = true);

  /// The last Message of this direction.
  message_context& with_final(bool value = true);

  // -- framer metadata -----------------------------------------------------------------

  /// Attaches a value that only the framer of that name sees (RFC 9622, section 9.1.2).
  message_context& add(std::string_view framer, std::string_view key, std::string_view value);
  [[nodiscard]] std::optional<std::string> get(std::string_view framer, std::string_view key) const;

  // -- where and how a Message came (receive contexts) ---------------------------------------

  [[nodiscard]] const socket_address& local_endpoint() const noexcept;
  [[nodiscard]] const socket_address& remote_endpoint() const noexcept;
  /// The ECN codepoint of the packet; absent where the stack does not know it.
  [[nodiscard]] std::optional<std::uint8_t> ecn() const noexcept;
  /// Came before the handshake was over, so that it may be a replay.
  [[nodiscard]] bool early_data() const noexcept;
  /// The peer marked it as its last Message.
  [[nodiscard]] bool final() const noexcept;

  message_context& set_endpoints(const socket_address& local, const socket_address& remote);
  message_context& set_ecn(std::uint8_t codepoint);
  message_context& set_early_data(bool value);
  message_context& set_final(bool value);

  // -- identity --------------------------------------------------------------------------------

  /// The properties as the transport gets them; null when all are default.
  [[nodiscard]] std::shared_ptr<const message_properties> shared_properties() const noexcept;

  /// True when both are the same context or share its snapshot: tells pieces of one Message.
  friend bool operator==(const message_context& x, const message_context& y) noexcept {
    return x.state_ == y.state_;
  }

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, message_context& x) {
    if constexpr (Inspector::reads_state) {
      auto copy = x.state_ ? *x.state_ : state{};
      return inspect_state(f, copy);
    } else {
      x.state_ = std::make_shared<state>();
      return inspect_state(f, *x.state_);
    }
  }

private:
  struct state {
    message_properties properties;
    socket_address local;
    socket_address remote;
    int ecn = -1;
    bool early_data = false;
    bool final = false;
    std::map<std::string, std::string> metadata;
  };

  template<class Inspector>
  static typename Inspector::result_type inspect_state(Inspector& f, state& x) {
    return f(x.properties, x.local, x.remote, x.ecn, x.early_data, x.final, x.metadata);
  }

  /// The state to write to, which nobody shares.
  state& own();

  std::shared_ptr<state> state_;
};

}  // namespace taps
