// A hand-written, level-triggered epoll loop: per message and side one epoll_wait, one read, one
// write.

#include "taps/bench/harness/pipeline.hpp"
#include "taps/bench/harness/sockets.hpp"
#include "taps/bench/subjects/makers.hpp"

#include <cerrno>
#include <functional>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace bench {

namespace {

// -- the loop -----------------------------------------------------------------

class source {
public:
  explicit source(int fd) : fd_(fd) {
    // nop
  }

  virtual ~source() { ::close(fd_); }

  virtual void ready(std::uint32_t events) = 0;

  int fd() const { return fd_; }

protected:
  int fd_;
};

struct loop {
  loop() : fd(::epoll_create1(EPOLL_CLOEXEC)), buffer(large_read) {
    // nop
  }

  ~loop() { ::close(fd); }

  void watch(source& s, std::uint32_t events, int operation = EPOLL_CTL_ADD) {
    epoll_event ev{};
    ev.events = events;
    ev.data.ptr = &s;
    if (::epoll_ctl(fd, operation, s.fd(), &ev) != 0)
      fail("epoll_ctl");
  }

  void run() {
    epoll_event events[64];
    for (;;) {
      int n = ::epoll_wait(fd, events, 64, -1);
      for (int i = 0; i < n; ++i)
        static_cast<source*>(events[i].data.ptr)->ready(events[i].events);
    }
  }

  int fd;
  /// One for all connections: what is read is used up before the next read.
  std::vector<char> buffer;
};

// A connection; ends itself when the peer does.
class connection : public source {
public:
  // An accepted connection is open, one that is being connected opens when it becomes writable.
  enum class state { connecting, open };

  connection(loop& l, int fd, state s) : source(fd), loop_(l), state_(s) {
    loop_.watch(*this, s == state::open ? EPOLLIN : EPOLLOUT);
  }

  void ready(std::uint32_t events) final {
    if (state_ == state::open) {
      on_events(events);
      return;
    }
    check_connected();
    state_ = state::open;
    opened();
  }

protected:
  virtual void on_events(std::uint32_t events) = 0;

  virtual void opened() { loop_.watch(*this, EPOLLIN, EPOLL_CTL_MOD); }

  virtual void ended() { delete this; }

  // Bytes read, 0 for none just now or the end (then this object is gone).
  std::size_t read() {
    auto n = ::read(fd_, loop_.buffer.data(), loop_.buffer.size());
    if (n > 0)
      return static_cast<std::size_t>(n);
    if (n == 0 || errno != EAGAIN)
      ended();
    return 0;
  }

  // Bytes the kernel took.
  std::size_t write(const char* data, std::size_t size) {
    auto n = ::send(fd_, data, size, MSG_NOSIGNAL);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

  // Watches for room to write as long as something is left over.
  void set_blocked(bool blocked) {
    if (std::exchange(blocked_, blocked) != blocked)
      loop_.watch(*this, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }

  loop& loop_;

private:
  void check_connected() {
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0)
      throw std::system_error(error, std::generic_category(), "connect");
  }

  state state_;
  bool blocked_ = false;
};

// -- ping-pong ----------------------------------------------------------------

class ping_pong_end : public connection {
public:
  ping_pong_end(loop& l, int fd, state s, std::size_t size, meter* m)
      : connection(l, fd, s), size_(size), meter_(m) {
    // nop
  }

protected:
  void opened() override {
    connection::opened();
    send(size_);
  }

  void on_events(std::uint32_t events) override {
    if (events & EPOLLOUT)
      send(unsent_);
    if ((events & ~EPOLLOUT) == 0)
      return;
    auto n = read();
    if (n == 0 || (received_ += n) < size_)
      return;
    received_ = 0;
    if (meter_ != nullptr)
      meter_->add(1);
    send(size_);
  }

private:
  void send(std::size_t size) {
    unsent_ = size - write(payload(), size);
    set_blocked(unsent_ > 0);
  }

  std::size_t size_;
  meter* meter_;
  std::size_t received_ = 0;
  std::size_t unsent_ = 0;
};

// -- pipelined messages -------------------------------------------------------

class pipelined_sender : public connection {
public:
  pipelined_sender(loop& l, int fd, std::size_t size, bool coalesce)
      : connection(l, fd, state::connecting), size_(size), coalesce_(coalesce) {
    // nop
  }

protected:
  void opened() override {
    connection::opened();
    send();
  }

  void on_events(std::uint32_t events) override {
    if (events & ~EPOLLOUT) {
      auto n = read();
      if (n == 0)
        return;
      window_.feed(loop_.buffer.data(), n);
    }
    send();
  }

private:
  void send() {
    while (flush() && window_.take_one()) {
      append_frame(out_, payload(), size_);
      if (coalesce_)
        for (auto n = window_.take_all(); n > 0; --n)
          append_frame(out_, payload(), size_);
    }
    set_blocked(!out_.empty());
  }

  // Whether nothing is left.
  bool flush() {
    if (sent_ < out_.size())
      sent_ += write(out_.data() + sent_, out_.size() - sent_);
    if (sent_ < out_.size())
      return false;
    out_.clear();
    sent_ = 0;
    return true;
  }

  std::size_t size_;
  bool coalesce_;
  send_window window_;
  std::string out_;
  std::size_t sent_ = 0;
};

class pipelined_receiver : public connection {
public:
  pipelined_receiver(loop& l, int fd, std::size_t size, meter& m)
      : connection(l, fd, state::open), meter_(m) {
    append_frame(ack_, payload(), size);
  }

protected:
  void on_events(std::uint32_t) override {
    auto n = read();
    if (n == 0)
      return;
    auto messages = parser_.feed(loop_.buffer.data(), n);
    // At most two acknowledgements are ever under way: they fit.
    for (auto due = acks_.received(messages); due > 0; --due)
      if (write(ack_.data(), ack_.size()) != ack_.size())
        fail("send");
    meter_.add(messages);
  }

private:
  meter& meter_;
  frame_parser parser_;
  ack_counter acks_;
  std::string ack_;
};

// -- bulk ---------------------------------------------------------------------

// Writes once per turn: the receiver then finds the bytes still in the CPU's cache.
class bulk_sender : public connection {
public:
  bulk_sender(loop& l, int fd, std::size_t size)
      : connection(l, fd, state::connecting), size_(size) {
    // nop
  }

protected:
  void opened() override {
    // Stays registered for EPOLLOUT only: nothing comes back.
  }

  void on_events(std::uint32_t) override { write(payload(), size_); }

private:
  std::size_t size_;
};

class bulk_receiver : public connection {
public:
  bulk_receiver(loop& l, int fd, meter& m) : connection(l, fd, state::open), meter_(m) {
    // nop
  }

protected:
  void on_events(std::uint32_t) override {
    if (auto n = read())
      meter_.add(n);
  }

private:
  meter& meter_;
};

// -- connect, close, idle -----------------------------------------------------

using hook = std::function<void()>;

// Sends nothing; says when it opened and when it ended. The hooks live in the host.
class quiet_end : public connection {
public:
  quiet_end(loop& l, int fd, state s, const hook* on_open, const hook* on_end)
      : connection(l, fd, s), on_open_(on_open), on_end_(on_end) {
    // nop
  }

protected:
  void opened() override {
    connection::opened();
    (*on_open_)();
  }

  void on_events(std::uint32_t) override { read(); }

  void ended() override {
    auto call = on_end_;
    delete this;
    if (call != nullptr)
      (*call)();
  }

private:
  const hook* on_open_;
  const hook* on_end_;
};

// Closes as soon as it is open.
class fleeting_end : public connection {
public:
  fleeting_end(loop& l, int fd) : connection(l, fd, state::connecting) {
    // nop
  }

protected:
  void opened() override { delete this; }

  void on_events(std::uint32_t) override {
    // never open long enough
  }
};

// -- the host -----------------------------------------------------------------

class listener : public source {
public:
  listener(loop& l, int fd, std::function<void(int)> accepted)
      : source(fd), accepted_(std::move(accepted)) {
    l.watch(*this, EPOLLIN);
  }

  void ready(std::uint32_t) override {
    int fd = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
      accepted_(fd);
  }

private:
  std::function<void(int)> accepted_;
};

class raw_host : public host {
public:
  explicit raw_host(bool coalesce) : coalesce_(coalesce) {
    // nop
  }

  std::uint16_t serve(const plan& orders, meter& m) override {
    std::uint16_t port = 0;
    auto fd = open_listener(orders.address, port);
    listeners_.push_back(std::make_unique<listener>(
        loop_, fd, [this, orders, &m](int accepted) { add_accepted(accepted, orders, m); }));
    if (orders.what == exchange::connect_close)
      on_closed_ = [this, &m] {
        m.add(1);
        next_();
      };
    return port;
  }

  void drive(const plan& orders, std::uint16_t port, meter& m) override {
    auto connect = [orders, port] { return start_connect(orders.address, port); };
    switch (orders.what) {
    case exchange::ping_pong:
      new ping_pong_end(loop_, connect(), connecting, orders.message_size, &m);
      break;
    case exchange::connect_close:
      next_ = [this, connect] { new fleeting_end(loop_, connect()); };
      next_();
      break;
    case exchange::pipelined:
      new pipelined_sender(loop_, connect(), orders.message_size, coalesce_);
      break;
    case exchange::bulk:
      new bulk_sender(loop_, connect(), orders.message_size);
      break;
    case exchange::idle:
      next_ = [this, connect, left = orders.connections]() mutable {
        if (left-- > 0)
          new quiet_end(loop_, connect(), connecting, &on_idle_, nullptr);
      };
      on_idle_ = [this, &m] {
        m.add(1);
        next_();
      };
      next_();
    }
  }

  void run() override { loop_.run(); }

private:
  static constexpr auto open = connection::state::open;
  static constexpr auto connecting = connection::state::connecting;

  void add_accepted(int fd, const plan& orders, meter& m) {
    switch (orders.what) {
    case exchange::ping_pong:
      new ping_pong_end(loop_, fd, open, orders.message_size, nullptr);
      break;
    case exchange::connect_close:
      new quiet_end(loop_, fd, open, nullptr, &on_closed_);
      break;
    case exchange::pipelined:
      new pipelined_receiver(loop_, fd, orders.message_size, m);
      break;
    case exchange::bulk:
      new bulk_receiver(loop_, fd, m);
      break;
    case exchange::idle:
      new quiet_end(loop_, fd, open, nullptr, nullptr);
      m.add(1);
    }
  }

  loop loop_;
  bool coalesce_;
  std::vector<std::unique_ptr<listener>> listeners_;
  hook next_;
  hook on_idle_;
  hook on_closed_;
};

}  // namespace

std::unique_ptr<host> make_raw() { return std::make_unique<raw_host>(false); }

std::unique_ptr<host> make_raw_coalescing() { return std::make_unique<raw_host>(true); }

}  // namespace bench
