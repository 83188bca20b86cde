#pragma once

namespace taps {

/// A member by which an object learns that a call to the outside destroyed it. Whoever makes such a
/// call keeps a `watch` on the stack and asks it afterwards, before touching a member again.
class liveness {
public:
  liveness() noexcept = default;
  liveness(const liveness&) = delete;
  liveness& operator=(const liveness&) = delete;
  ~liveness() {
    for (auto* i = innermost_; i != nullptr; i = i->outer_)
      i->subject_ = nullptr;
  }

  class watch {
  public:
    explicit watch(liveness& subject) noexcept;
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    ~watch();

    /// Whether the object still exists.
    [[nodiscard]] explicit operator bool() const noexcept { return subject_ != nullptr; }

  private:
    friend class liveness;
    liveness* subject_;
    watch* outer_;
  };

private:
  watch* innermost_ = nullptr;
};

}  // namespace taps
