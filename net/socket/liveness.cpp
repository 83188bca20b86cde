#include "taps/net/socket/liveness.hpp"

namespace taps {

// Not inline: the compiler takes the pointer to a local for one that is left behind.

liveness::watch::watch(liveness& subject) noexcept
    : subject_(&subject), outer_(subject.innermost_) {
  subject.innermost_ = this;
}

liveness::watch::~watch() {
  if (subject_ != nullptr)
    subject_->innermost_ = outer_;
}

}  // namespace taps
