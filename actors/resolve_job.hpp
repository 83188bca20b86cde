#pragma once

#include "taps/actors/actions.hpp"
#include "taps/actors/local_gathering.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_response_promise.hpp>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(taps::resolved_endpoints)

namespace taps {

/// One running Resolve (RFC 9622, section 6): names, then the Local Endpoints.
class resolve_job {
public:
  using promise = caf::typed_response_promise<resolved_endpoints>;

  resolve_job(promise answer, shard& home, config_ptr config);

  /// Calls `wake` when all is known; not from inside.
  void start(std::function<void()> wake);

  [[nodiscard]] bool done() const noexcept { return locals_.done(); }
  [[nodiscard]] const preconnection_config& config() const noexcept { return *config_; }
  /// What a Rendezvous of the same Local Endpoints is to use; null for nothing.
  [[nodiscard]] const std::shared_ptr<const known_bases>& known() const noexcept {
    return locals_.known();
  }

  /// Answer. @pre for the first, `done()`
  void finish();
  void give_up(const error& why) { answer_.deliver(to_caf_error(why)); }

private:
  using taker = std::function<void(const ip_address&)>;

  void add(const remote_endpoint& x);
  void ask(const std::string& name, taker take);

  promise answer_;
  shard& home_;
  config_ptr config_;
  std::function<void()> wake_;
  local_gathering locals_;
  std::vector<remote_endpoint> remotes_;
  /// What the names of Local Endpoints stand for.
  std::map<std::string, std::vector<ip_address>> names_;
  error failure_;
  int pending_ = 0;
  std::vector<std::unique_ptr<resolver_query>> queries_;
};

}  // namespace taps
