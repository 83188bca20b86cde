// CAF's I/O broker: one broker plays both ends, so that nothing but sockets lies between them; the
// middleman's multiplexer is run by the calling thread.

#include "taps/bench/harness/pipeline.hpp"
#include "taps/bench/harness/sockets.hpp"
#include "taps/bench/subjects/makers.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/send.hpp>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

namespace {

using caf::io::connection_handle;

// CAF fills the whole buffer with zeros before each read, so a larger one only costs.
constexpr std::size_t caf_read = 64 * 1024;

// -- the exchanges ------------------------------------------------------------

// What the broker does for one connection.
class conversation {
public:
  conversation(caf::io::broker& b, connection_handle h) : broker_(b), handle_(h) {
    // nop
  }

  virtual ~conversation() = default;

  virtual void start() = 0;

  virtual void received(const std::vector<char>& bytes) = 0;

  virtual void transferred() {
    // nop
  }

  virtual void closed() {
    // nop
  }

protected:
  void write(std::size_t size) {
    broker_.write(handle_, size, payload());
    broker_.flush(handle_);
  }

  caf::io::broker& broker_;
  connection_handle handle_;
};

class ping_pong_end : public conversation {
public:
  // With a meter: the driving end.
  ping_pong_end(caf::io::broker& b, connection_handle h, std::size_t size, meter* m)
      : conversation(b, h), size_(size), meter_(m) {
    // nop
  }

  void start() override {
    broker_.configure_read(handle_, caf::io::receive_policy::exactly(size_));
    if (meter_ != nullptr)
      write(size_);
  }

  void received(const std::vector<char>&) override {
    if (meter_ != nullptr)
      meter_->add(1);
    write(size_);
  }

private:
  std::size_t size_;
  meter* meter_;
};

class pipelined_sender : public conversation {
public:
  pipelined_sender(caf::io::broker& b, connection_handle h, std::size_t size)
      : conversation(b, h), size_(size) {
    // nop
  }

  void start() override {
    broker_.configure_read(handle_, caf::io::receive_policy::at_most(1024));
    send();
  }

  void received(const std::vector<char>& bytes) override {
    window_.feed(bytes.data(), bytes.size());
    send();
  }

private:
  void send() {
    auto n = window_.take_all();
    if (n == 0)
      return;
    auto& out = broker_.wr_buf(handle_);
    for (; n > 0; --n)
      append_frame(out, payload(), size_);
    broker_.flush(handle_);
  }

  std::size_t size_;
  send_window window_;
};

class pipelined_receiver : public conversation {
public:
  pipelined_receiver(caf::io::broker& b, connection_handle h, std::size_t size, meter& m)
      : conversation(b, h), size_(size), meter_(m) {
    // nop
  }

  void start() override {
    broker_.configure_read(handle_, caf::io::receive_policy::at_most(caf_read));
  }

  void received(const std::vector<char>& bytes) override {
    auto messages = parser_.feed(bytes.data(), bytes.size());
    if (auto due = acks_.received(messages)) {
      for (; due > 0; --due)
        append_frame(broker_.wr_buf(handle_), payload(), size_);
      broker_.flush(handle_);
    }
    meter_.add(messages);
  }

private:
  std::size_t size_;
  meter& meter_;
  frame_parser parser_;
  ack_counter acks_;
};

// The next write goes out when the one before did.
class bulk_sender : public conversation {
public:
  bulk_sender(caf::io::broker& b, connection_handle h, std::size_t size)
      : conversation(b, h), size_(size) {
    // nop
  }

  void start() override {
    broker_.ack_writes(handle_, true);
    write(size_);
  }

  void received(const std::vector<char>&) override {
    // nop
  }

  void transferred() override {
    if (broker_.wr_buf(handle_).empty())
      write(size_);
  }

private:
  std::size_t size_;
};

class bulk_receiver : public conversation {
public:
  bulk_receiver(caf::io::broker& b, connection_handle h, meter& m) : conversation(b, h), meter_(m) {
    // nop
  }

  void start() override {
    broker_.configure_read(handle_, caf::io::receive_policy::at_most(caf_read));
  }

  void received(const std::vector<char>& bytes) override { meter_.add(bytes.size()); }

private:
  meter& meter_;
};

using hook = std::function<void()>;

// Sends nothing; says when it closed. The hook lives in the broker.
class quiet_end : public conversation {
public:
  quiet_end(caf::io::broker& b, connection_handle h, const hook* on_closed)
      : conversation(b, h), on_closed_(on_closed) {
    // nop
  }

  void start() override { broker_.configure_read(handle_, caf::io::receive_policy::at_most(64)); }

  void received(const std::vector<char>&) override {
    // nop
  }

  void closed() override {
    if (on_closed_ != nullptr)
      (*on_closed_)();
  }

private:
  const hook* on_closed_;
};

// -- the broker ---------------------------------------------------------------

class peer : public caf::io::broker {
public:
  explicit peer(caf::actor_config& cfg) : caf::io::broker(cfg) {
    // nop
  }

  std::uint16_t serve(const plan& orders, meter& m) {
    std::uint16_t port = 0;
    auto fd = open_listener(orders.address, port);
    services_.emplace(add_doorman(fd), service{orders, &m});
    on_closed_ = [this, &m] {
      m.add(1);
      next_();
    };
    return port;
  }

  void drive(const plan& orders, std::uint16_t port, meter& m) {
    // Each connect is an event of its own, so that what came is accepted in between.
    if (orders.what == exchange::idle) {
      next_ = [this, orders, port, &m, left = orders.connections]() mutable {
        if (left-- == 0)
          return;
        connect(orders, port, m);
        m.add(1);
        send(this, caf::atom("next"));
      };
    } else {
      next_ = [this, orders, port, &m] { connect(orders, port, m); };
    }
    next_();
  }

  caf::behavior make_behavior() override {
    return {
        [this](const caf::io::new_data_msg& x) { of(x.handle).received(x.buf); },
        [this](const caf::io::data_transferred_msg& x) { of(x.handle).transferred(); },
        [this](const caf::io::new_connection_msg& x) {
          auto& s = services_.at(x.source);
          start_serving(x.handle, s.orders, *s.counted);
        },
        [this](const caf::io::connection_closed_msg& x) {
          auto node = conversations_.extract(x.handle);
          if (!node.empty())
            node.mapped()->closed();
        },
        [](const caf::io::acceptor_closed_msg&) {
          // nop
        },
        [this](caf::atom_constant<caf::atom("next")>) { next_(); },
    };
  }

private:
  struct service {
    plan orders;
    meter* counted;
  };

  conversation& of(connection_handle h) { return *conversations_.at(h); }

  template<class T, class... Args>
  void start(connection_handle h, Args&&... args) {
    auto c = std::make_unique<T>(*this, h, std::forward<Args>(args)...);
    auto& started = *c;
    conversations_.emplace(h, std::move(c));
    started.start();
  }

  void start_serving(connection_handle h, const plan& orders, meter& m) {
    switch (orders.what) {
    case exchange::ping_pong:
      start<ping_pong_end>(h, orders.message_size, nullptr);
      break;
    case exchange::connect_close:
      start<quiet_end>(h, &on_closed_);
      break;
    case exchange::pipelined:
      start<pipelined_receiver>(h, orders.message_size, m);
      break;
    case exchange::bulk:
      start<bulk_receiver>(h, m);
      break;
    case exchange::idle:
      start<quiet_end>(h, nullptr);
      m.add(1);
    }
  }

  // CAF connects in a blocking way, as add_tcp_scribe does; only TCP_NODELAY is ours.
  void connect(const plan& orders, std::uint16_t port, meter& m) {
    auto h = add_scribe(connect_blocking(orders.address, port));
    switch (orders.what) {
    case exchange::ping_pong:
      start<ping_pong_end>(h, orders.message_size, &m);
      break;
    case exchange::connect_close:
      close(h);
      break;
    case exchange::pipelined:
      start<pipelined_sender>(h, orders.message_size);
      break;
    case exchange::bulk:
      start<bulk_sender>(h, orders.message_size);
      break;
    case exchange::idle:
      start<quiet_end>(h, nullptr);
    }
  }

  std::unordered_map<caf::io::accept_handle, service> services_;
  std::unordered_map<connection_handle, std::unique_ptr<conversation>> conversations_;
  hook next_;
  hook on_closed_;
};

// -- the host -----------------------------------------------------------------

struct config : caf::actor_system_config {
  config() {
    load<caf::io::middleman>();
    set("middleman.manual-multiplexing", true);
    set("middleman.attach-utility-actors", true);
    set("middleman.workers", std::size_t{0});
    // The default of 50 spends a read that finds nothing on every message.
    set("middleman.max-consecutive-reads", std::size_t{1});
    // Nobody uses the scheduler; sharing has its one thread sleep, where stealing would poll.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
  }
};

class caf_io_host : public host {
public:
  caf_io_host() : system_(config_) {
    caf::actor_config cfg{&system_.middleman().backend()};
    handle_ = system_.spawn_impl<peer, caf::hidden>(cfg);
    peer_ = static_cast<peer*>(caf::actor_cast<caf::abstract_actor*>(handle_));
  }

  std::uint16_t serve(const plan& orders, meter& m) override { return peer_->serve(orders, m); }

  void drive(const plan& orders, std::uint16_t port, meter& m) override {
    peer_->drive(orders, port, m);
  }

  void run() override { system_.middleman().backend().run(); }

private:
  config config_;
  caf::actor_system system_;
  caf::actor handle_;
  peer* peer_ = nullptr;
};

}  // namespace

std::unique_ptr<host> make_caf_io() { return std::make_unique<caf_io_host>(); }

}  // namespace bench
