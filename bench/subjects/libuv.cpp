// libuv as its users write it: uv_try_write first, uv_write for what is left; one read buffer per
// loop.

#include "taps/bench/harness/pipeline.hpp"
#include "taps/bench/harness/sockets.hpp"
#include "taps/bench/subjects/makers.hpp"

#include <cstring>
#include <functional>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <uv.h>
#include <vector>

namespace bench {

namespace {

void check(int result, const char* call) {
  if (result < 0)
    throw std::runtime_error(std::string(call) + ": " + uv_strerror(result));
}

// -- connections --------------------------------------------------------------

struct uv_state {
  uv_state() : buffer(large_read) { check(uv_loop_init(&loop), "uv_loop_init"); }

  uv_loop_t loop;
  std::vector<char> buffer;
};

// An open stream; subclasses say what to do with what comes.
class connection {
public:
  explicit connection(uv_state& s) : state_(s) {
    check(uv_tcp_init(&s.loop, &tcp_), "uv_tcp_init");
    tcp_.data = this;
  }

  virtual ~connection() = default;

  // Takes the next connection of `listener`.
  void accept(uv_stream_t* listener) {
    check(uv_accept(listener, stream()), "uv_accept");
    begin();
  }

  void connect(const plan& orders, std::uint16_t port) {
    sockaddr_in to{};
    check(uv_ip4_addr(orders.address.c_str(), port, &to), "uv_ip4_addr");
    auto request = new uv_connect_t;
    request->data = this;
    check(uv_tcp_connect(request, &tcp_, reinterpret_cast<sockaddr*>(&to), on_connect), "connect");
    check(uv_tcp_nodelay(&tcp_, 1), "uv_tcp_nodelay");
  }

  void close() {
    uv_close(reinterpret_cast<uv_handle_t*>(&tcp_), [](uv_handle_t* handle) {
      auto self = static_cast<connection*>(handle->data);
      self->closed();
      delete self;
    });
  }

protected:
  virtual void opened() {
    // nop
  }

  virtual void received(const char* data, std::size_t size) = 0;

  virtual void writable() {
    // nop
  }

  virtual void closed() {
    // nop
  }

  // Whether all was taken at once; else `writable` follows.
  bool write(const char* data, std::size_t size) {
    auto buffer = uv_buf_init(const_cast<char*>(data), static_cast<unsigned>(size));
    auto n = uv_try_write(stream(), &buffer, 1);
    auto taken = n > 0 ? static_cast<std::size_t>(n) : 0;
    if (taken == size)
      return true;
    struct pending {
      uv_write_t request;
      std::string rest;
    };
    auto left = new pending{{}, std::string(data + taken, size - taken)};
    left->request.data = left;
    buffer = uv_buf_init(left->rest.data(), static_cast<unsigned>(left->rest.size()));
    check(uv_write(&left->request, stream(), &buffer, 1,
                   [](uv_write_t* request, int status) {
                     auto self = static_cast<connection*>(request->handle->data);
                     delete static_cast<pending*>(request->data);
                     if (status == 0)
                       self->writable();
                   }),
          "uv_write");
    return false;
  }

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }

private:
  void begin() {
    check(uv_read_start(stream(), on_alloc, on_read), "uv_read_start");
    opened();
  }

  static void on_connect(uv_connect_t* request, int status) {
    auto self = static_cast<connection*>(request->data);
    delete request;
    check(status, "connect");
    self->begin();
  }

  static void on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* out) {
    auto& buffer = static_cast<connection*>(handle->data)->state_.buffer;
    *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
  }

  static void on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* buffer) {
    auto self = static_cast<connection*>(s->data);
    if (n > 0)
      self->received(buffer->base, static_cast<std::size_t>(n));
    else if (n < 0)
      self->close();
  }

  uv_state& state_;
  uv_tcp_t tcp_;
};

// -- the exchanges ------------------------------------------------------------

class ping_pong_end : public connection {
public:
  // With a meter: the driving end.
  ping_pong_end(uv_state& s, std::size_t size, meter* m) : connection(s), size_(size), meter_(m) {
    // nop
  }

protected:
  void opened() override {
    if (meter_ != nullptr)
      write(payload(), size_);
  }

  void received(const char*, std::size_t size) override {
    if ((received_ += size) < size_)
      return;
    received_ = 0;
    if (meter_ != nullptr)
      meter_->add(1);
    write(payload(), size_);
  }

private:
  std::size_t size_;
  meter* meter_;
  std::size_t received_ = 0;
};

class pipelined_sender : public connection {
public:
  pipelined_sender(uv_state& s, std::size_t size) : connection(s) {
    append_frame(message_, payload(), size);
  }

protected:
  void opened() override { writable(); }

  void received(const char* data, std::size_t size) override {
    window_.feed(data, size);
    if (!blocked_)
      writable();
  }

  void writable() override {
    blocked_ = false;
    while (!blocked_ && window_.take_one())
      blocked_ = !write(message_.data(), message_.size());
  }

private:
  std::string message_;
  send_window window_;
  bool blocked_ = false;
};

class pipelined_receiver : public connection {
public:
  pipelined_receiver(uv_state& s, std::size_t size, meter& m) : connection(s), meter_(m) {
    append_frame(ack_, payload(), size);
  }

protected:
  void received(const char* data, std::size_t size) override {
    auto messages = parser_.feed(data, size);
    for (auto due = acks_.received(messages); due > 0; --due)
      write(ack_.data(), ack_.size());
    meter_.add(messages);
  }

private:
  meter& meter_;
  frame_parser parser_;
  ack_counter acks_;
  std::string ack_;
};

// Keeps one write in the library's hands: uv_try_write in a loop would starve the reader.
class bulk_sender : public connection {
public:
  bulk_sender(uv_state& s, std::size_t size) : connection(s), size_(size) {
    // nop
  }

protected:
  void opened() override { next(); }

  void received(const char*, std::size_t) override {
    // nop
  }

private:
  void next() {
    auto buffer = uv_buf_init(const_cast<char*>(payload()), static_cast<unsigned>(size_));
    request_.data = this;
    check(uv_write(&request_, stream(), &buffer, 1,
                   [](uv_write_t* request, int status) {
                     if (status == 0)
                       static_cast<bulk_sender*>(request->data)->next();
                   }),
          "uv_write");
  }

  std::size_t size_;
  uv_write_t request_;
};

class bulk_receiver : public connection {
public:
  bulk_receiver(uv_state& s, meter& m) : connection(s), meter_(m) {
    // nop
  }

protected:
  void received(const char*, std::size_t size) override { meter_.add(size); }

private:
  meter& meter_;
};

using hook = std::function<void()>;

// Sends nothing; says when it opened and when it closed. The hooks live in the host.
class quiet_end : public connection {
public:
  quiet_end(uv_state& s, const hook* on_open, const hook* on_closed)
      : connection(s), on_open_(on_open), on_closed_(on_closed) {
    // nop
  }

protected:
  void opened() override {
    if (on_open_ != nullptr)
      (*on_open_)();
  }

  void received(const char*, std::size_t) override {
    // nop
  }

  void closed() override {
    if (on_closed_ != nullptr)
      (*on_closed_)();
  }

private:
  const hook* on_open_;
  const hook* on_closed_;
};

// Closes as soon as it is open.
class fleeting_end : public connection {
public:
  using connection::connection;

protected:
  void opened() override { close(); }

  void received(const char*, std::size_t) override {
    // nop
  }
};

// -- the host -----------------------------------------------------------------

class libuv_host : public host {
public:
  std::uint16_t serve(const plan& orders, meter& m) override {
    auto tcp = new uv_tcp_t;
    auto at = new service{*this, orders, m};
    tcp->data = at;
    check(uv_tcp_init(&state_.loop, tcp), "uv_tcp_init");
    sockaddr_in address{};
    check(uv_ip4_addr(orders.address.c_str(), 0, &address), "uv_ip4_addr");
    check(uv_tcp_bind(tcp, reinterpret_cast<sockaddr*>(&address), 0), "bind");
    check(uv_tcp_nodelay(tcp, 1), "uv_tcp_nodelay");  // handed down to what it accepts
    check(uv_listen(reinterpret_cast<uv_stream_t*>(tcp), listen_backlog, on_connection), "listen");
    int size = sizeof(address);
    check(uv_tcp_getsockname(tcp, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    on_closed_ = [this, &m] {
      m.add(1);
      next_();
    };
    return ntohs(address.sin_port);
  }

  void drive(const plan& orders, std::uint16_t port, meter& m) override {
    auto connect = [orders, port](connection* c) { c->connect(orders, port); };
    switch (orders.what) {
    case exchange::ping_pong:
      connect(new ping_pong_end(state_, orders.message_size, &m));
      break;
    case exchange::connect_close:
      next_ = [this, connect] { connect(new fleeting_end(state_)); };
      next_();
      break;
    case exchange::pipelined:
      connect(new pipelined_sender(state_, orders.message_size));
      break;
    case exchange::bulk:
      connect(new bulk_sender(state_, orders.message_size));
      break;
    case exchange::idle:
      next_ = [this, connect, left = orders.connections]() mutable {
        if (left-- > 0)
          connect(new quiet_end(state_, &on_idle_, nullptr));
      };
      on_idle_ = [this, &m] {
        m.add(1);
        next_();
      };
      next_();
    }
  }

  void run() override { uv_run(&state_.loop, UV_RUN_DEFAULT); }

private:
  struct service {
    libuv_host& self;
    plan orders;
    meter& m;
  };

  static void on_connection(uv_stream_t* listener, int status) {
    check(status, "accept");
    auto at = static_cast<service*>(listener->data);
    at->self.make_serving(at->orders, at->m)->accept(listener);
    if (at->orders.what == exchange::idle)
      at->m.add(1);
  }

  connection* make_serving(const plan& orders, meter& m) {
    switch (orders.what) {
    case exchange::ping_pong:
      return new ping_pong_end(state_, orders.message_size, nullptr);
    case exchange::connect_close:
      return new quiet_end(state_, nullptr, &on_closed_);
    case exchange::pipelined:
      return new pipelined_receiver(state_, orders.message_size, m);
    case exchange::bulk:
      return new bulk_receiver(state_, m);
    case exchange::idle:
      break;
    }
    return new quiet_end(state_, nullptr, nullptr);
  }

  uv_state state_;
  hook next_;
  hook on_idle_;
  hook on_closed_;
};

}  // namespace

std::unique_ptr<host> make_libuv() { return std::make_unique<libuv_host>(); }

}  // namespace bench
