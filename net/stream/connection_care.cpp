// What a Connection does beside moving bytes: properties, duties, trouble that ends nothing.

#include "taps/net/stream/connection.hpp"

#include "taps/net/socket/socket.hpp"
#include "taps/net/stream/fast_open.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <limits>

namespace taps {

namespace {

/// How many wait to be told at most.
constexpr std::size_t max_soft_errors = 16;

}  // namespace

// -- properties -------------------------------------------------------------------

const transport_descriptor& stream_connection::spoken() const {
  look_for_fallback();
  return fallen_back_ ? *kind_->descriptor.falls_back_to : kind_->descriptor;
}

void stream_connection::look_for_fallback() const {
  if (kind_->is_genuine != nullptr && socket_ && !fallen_back_)
    fallen_back_ = !kind_->is_genuine(loop_->os(), socket_.get());
}

socket_address stream_connection::local() const {
  if (local_.port == 0 && socket_)
    local_ = local_address(loop_->os(), socket_.get());
  return local_;
}

message_limits stream_connection::limits() const {
  constexpr std::uint64_t unlimited = std::numeric_limits<std::int64_t>::max();
  return {.singular_transmission = std::nullopt,
          .send = unlimited,
          .receive = unlimited,
          .zero_rtt = zero_rtt_limit()};
}

/// What one packet carries, if packets of the handshake may carry anything. What the handshake
/// with this peer did carry is of no interest any more.
std::optional<std::uint64_t> stream_connection::zero_rtt_limit() const {
  if (!socket_ || !provides(feature::zero_rtt_msg).value_or(false))
    return std::nullopt;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (loop_->os().getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
    return std::nullopt;
  return info.tcpi_snd_mss;
}

std::optional<bool> stream_connection::provides(feature what) const {
  const auto* wishes = options_.wishes();
  if (what == feature::keep_alive)
    return wishes != nullptr && wishes->keeps_alive();
  if (what == feature::zero_rtt_msg && wishes && wishes->fast_open >= preference::prefer)
    return fast_open_permitted(accepted_ ? establishment::listen : establishment::initiate);
  return std::nullopt;
}

result<void> stream_connection::set_property(property_id id, const property_value& value) {
  if (!socket_)
    return {errc::connection_closed, "the connection to " + to_string(remote_) + " has ended"};
  auto done = options_.change(loop_->os(), socket_.get(), remote_.address.family(), id, value);
  if (done && stage_ == stage::open)
    take_up_duties();
  return done;
}

// -- duties -----------------------------------------------------------------------

void stream_connection::take_up_duties() {
  const auto* wishes = options_.wishes();
  if (wishes == nullptr)
    return;
  const auto timed = wishes->timeout > duration::zero() &&
                     has_option(loop_->os(), socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT);
  if (!duties_ && !stream_duties::needed(*wishes, timed))
    return;
  if (!duties_)
    duties_ = std::make_unique<stream_duties>(*loop_, socket_.get(),
                                              static_cast<stream_duties_host&>(*this));
  duties_->set(*wishes, timed);
}

void stream_connection::on_rate_allows() { loop_->run_later(*this); }

void stream_connection::on_trouble(error reason) {
  if (!soft_errors_)
    soft_errors_ = std::make_unique<std::vector<error>>();
  if (soft_errors_->size() < max_soft_errors)
    soft_errors_->push_back(std::move(reason));
  loop_->run_later(*this);
}

// -- trouble that ends nothing --------------------------------------------------------

error stream_connection::trouble(int code) const {
  return os_error(errc::protocol_failed, "connection to " + to_string(remote_), code);
}

bool stream_connection::passes(int code) const {
  const auto* wishes = options_.wishes();
  if (wishes == nullptr || !wishes->soft_errors || code == ECONNRESET || code == EPIPE)
    return false;
  // With soft errors asked for, the kernel hands up those of routers like any other.
  tcp_info info{};
  socklen_t size = sizeof info;
  return loop_->os().getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_state != TCP_CLOSE;
}

void stream_connection::fail_or_go_on(int code) {
  if (!passes(code)) {
    fail(broken(code));
    return;
  }
  readable_ = !fin_received_;
  on_trouble(trouble(code));
}

}  // namespace taps
