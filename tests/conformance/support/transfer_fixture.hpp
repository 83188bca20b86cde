#pragma once

#include "taps/tests/conformance/support/fixture.hpp"

namespace taps::testing {

/// A Connection to a plain socket.
class transfer : public conformance {
protected:
  void connect(transport_properties wanted = reliable_inorder_stream(),
               std::vector<framer_factory> framers = {}, reaction react = {}) {
    listener_ = posix_bind();
    me_ = make_owner(std::move(react));
    auto pre = to(loopback_remote(listener_.port()), std::move(wanted));
    for (auto& x : framers)
      pre.add_framer(x);
    made_ = initiate(pre, me_.actor);
    peer_ = posix_accept(listener_);
  }

  std::string names() { return me_.log->names(); }

  posix_socket listener_;
  posix_socket peer_;
  owner me_;
  connection made_;
};

}  // namespace taps::testing
