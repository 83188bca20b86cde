#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace taps {

/// Why something failed. The names are those that RFC 9622 gives for its error events, in section
/// 7 and 9; the last group is ours.
enum class errc : std::uint8_t {
  none = 0,
  /// Properties or endpoints are contradictory or incomplete.
  invalid_configuration,
  /// The request is valid, but no protocol stack can fulfil it.
  no_candidates,
  /// No name of the Remote Endpoints could be resolved.
  resolution_failed,
  /// All attempts failed, or the timeout of the establishment passed.
  establishment_failed,
  /// System policy forbids every stack that would fit.
  policy_prohibited,
  /// The Connection cannot be cloned.
  not_cloneable,
  /// The Message exceeds `sendMsgMaxLen` or, unsegmented, `singularTransmissionMsgMaxLen`.
  message_too_large,
  /// The protocol stack reported a failure.
  protocol_failed,
  /// Message Properties contradict the stack or each other.
  invalid_message_properties,
  /// A Message Framer could not make sense of inbound data.
  deframing_failed,
  /// The peer aborted the Connection.
  connection_aborted,
  /// Delivery took longer than allowed.
  timeout,
  /// The peer will send no more data.
  no_more_data,
  /// The application (or the death of its owner) aborted the Connection.
  local_abort,
  /// The action came after the Connection began to close.
  connection_closed,
  /// The stack has no such feature.
  not_supported,
  /// The property cannot be set.
  read_only,
};

/// Returns the name the RFC gives the reason, e.g. `"EstablishmentFailed"`.
[[nodiscard]] std::string_view to_string(errc reason) noexcept;

/// A reason with a text that says what was wrong and where.
class error {
public:
  error() noexcept = default;

  error(errc reason, std::string text, int os_code = 0)
      : reason_(reason), os_code_(os_code), text_(std::move(text)) {}

  [[nodiscard]] errc reason() const noexcept { return reason_; }

  /// A sentence for people; never empty in an error that was raised.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// The `errno` of the system call that failed, or 0.
  [[nodiscard]] int os_code() const noexcept { return os_code_; }

  [[nodiscard]] explicit operator bool() const noexcept { return reason_ != errc::none; }

  friend bool operator==(const error& x, errc y) noexcept { return x.reason_ == y; }
  friend bool operator==(const error& x, const error& y) = default;

  template<class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, error& x) {
    return f(x.reason_, x.os_code_, x.text_);
  }

private:
  errc reason_ = errc::none;
  int os_code_ = 0;
  std::string text_;
};

/// Returns `"EstablishmentFailed: text"`.
[[nodiscard]] std::string to_string(const error& what);

/// Tells whether the host lacked descriptors or memory: another time the same may do.
[[nodiscard]] bool is_shortage(const error& x) noexcept;

/// Returns an error for a failed system call: its text is `"what: description of os_code"`.
[[nodiscard]] error os_error(errc reason, std::string_view what, int os_code);

}  // namespace taps
