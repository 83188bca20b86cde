// Standalone Asio: one io_context, completion handlers, one outstanding operation per direction.

#include "taps/bench/harness/pipeline.hpp"
#include "taps/bench/subjects/makers.hpp"

#define ASIO_STANDALONE 1
#include <asio.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace {

using asio::ip::tcp;
using std::error_code;

// -- connections --------------------------------------------------------------

// A session owns itself; it is deleted by the handler that meets an error.
class session {
public:
  explicit session(tcp::socket s) : socket_(std::move(s)) {
    // nop
  }

  virtual ~session() = default;

  virtual void start() = 0;

protected:
  tcp::socket socket_;
};

class ping_pong_end : public session {
public:
  // With a meter: the driving end.
  ping_pong_end(tcp::socket s, std::size_t size, meter* m)
      : session(std::move(s)), buffer_(size), meter_(m) {
    // nop
  }

  void start() override {
    if (meter_ != nullptr)
      write();
    else
      read();
  }

private:
  void read() {
    auto rest = asio::buffer(buffer_) + received_;
    socket_.async_read_some(rest, [this](error_code ec, std::size_t n) {
      if (ec) {
        delete this;
        return;
      }
      if ((received_ += n) < buffer_.size()) {
        read();
        return;
      }
      received_ = 0;
      if (meter_ != nullptr)
        meter_->add(1);
      write();
    });
  }

  void write() {
    asio::async_write(socket_, asio::buffer(buffer_), [this](error_code ec, std::size_t) {
      if (ec)
        delete this;
      else
        read();
    });
  }

  std::vector<char> buffer_;
  meter* meter_;
  std::size_t received_ = 0;
};

// Collects messages while a write is under way and writes them together when it is done.
class pipelined_sender : public session {
public:
  pipelined_sender(tcp::socket s, std::size_t size)
      : session(std::move(s)), size_(size), buffer_(1024) {
    // nop
  }

  void start() override {
    read();
    fill();
  }

private:
  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [this](error_code ec, std::size_t n) {
      if (ec)
        return;
      window_.feed(buffer_.data(), n);
      fill();
      read();
    });
  }

  void fill() {
    for (auto n = window_.take_all(); n > 0; --n)
      append_frame(collected_, payload(), size_);
    if (!writing_ && !collected_.empty())
      write();
  }

  void write() {
    writing_ = true;
    written_.clear();
    std::swap(written_, collected_);
    asio::async_write(socket_, asio::buffer(written_), [this](error_code ec, std::size_t) {
      writing_ = false;
      if (!ec)
        fill();
    });
  }

  std::size_t size_;
  std::vector<char> buffer_;
  send_window window_;
  std::string collected_;
  std::string written_;
  bool writing_ = false;
};

class pipelined_receiver : public session {
public:
  pipelined_receiver(tcp::socket s, std::size_t size, meter& m)
      : session(std::move(s)), size_(size), buffer_(large_read), meter_(m) {
    // nop
  }

  void start() override { read(); }

private:
  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [this](error_code ec, std::size_t n) {
      if (ec)
        return;
      auto messages = parser_.feed(buffer_.data(), n);
      for (auto due = acks_.received(messages); due > 0; --due)
        append_frame(collected_, payload(), size_);
      if (!writing_ && !collected_.empty())
        write();
      meter_.add(messages);
      read();
    });
  }

  void write() {
    writing_ = true;
    written_.clear();
    std::swap(written_, collected_);
    asio::async_write(socket_, asio::buffer(written_), [this](error_code ec, std::size_t) {
      writing_ = false;
      if (!ec && !collected_.empty())
        write();
    });
  }

  std::size_t size_;
  std::vector<char> buffer_;
  meter& meter_;
  frame_parser parser_;
  ack_counter acks_;
  std::string collected_;
  std::string written_;
  bool writing_ = false;
};

class bulk_sender : public session {
public:
  bulk_sender(tcp::socket s, std::size_t size) : session(std::move(s)), size_(size) {
    // nop
  }

  void start() override {
    asio::async_write(socket_, asio::buffer(payload(), size_), [this](error_code ec, std::size_t) {
      if (!ec)
        start();
    });
  }

private:
  std::size_t size_;
};

class bulk_receiver : public session {
public:
  bulk_receiver(tcp::socket s, meter& m) : session(std::move(s)), buffer_(large_read), meter_(m) {
    // nop
  }

  void start() override {
    socket_.async_read_some(asio::buffer(buffer_), [this](error_code ec, std::size_t n) {
      if (ec)
        return;
      meter_.add(n);
      start();
    });
  }

private:
  std::vector<char> buffer_;
  meter& meter_;
};

using hook = std::function<void()>;

// Waits for the peer without a buffer of its own, then reads into one on the stack.
class quiet_end : public session {
public:
  quiet_end(tcp::socket s, const hook* on_closed) : session(std::move(s)), on_closed_(on_closed) {
    // nop
  }

  void start() override {
    socket_.async_wait(tcp::socket::wait_read, [this](error_code ec) {
      char byte;
      if (!ec && socket_.read_some(asio::buffer(&byte, 1), ec) > 0) {
        start();
        return;
      }
      auto call = on_closed_;
      delete this;
      if (call != nullptr)
        (*call)();
    });
  }

private:
  const hook* on_closed_;
};

// -- the host -----------------------------------------------------------------

class asio_host : public host {
public:
  std::uint16_t serve(const plan& orders, meter& m) override {
    tcp::endpoint at(asio::ip::make_address(orders.address), 0);
    auto& acceptor = *acceptors_.emplace_back(std::make_unique<tcp::acceptor>(context_));
    acceptor.open(at.protocol());
    acceptor.set_option(tcp::no_delay(true));  // handed down to what it accepts
    acceptor.bind(at);
    acceptor.listen(listen_backlog);
    on_closed_ = [this, &m] {
      m.add(1);
      next_();
    };
    accept(acceptor, orders, m);
    return acceptor.local_endpoint().port();
  }

  void drive(const plan& orders, std::uint16_t port, meter& m) override {
    tcp::endpoint to(asio::ip::make_address(orders.address), port);
    next_ = [this, orders, to, &m, left = orders.connections]() mutable {
      if (orders.what == exchange::idle && left-- == 0)
        return;
      connect(orders, to, m);
    };
    next_();
  }

  void run() override {
    auto work = asio::make_work_guard(context_);
    context_.run();
  }

private:
  void accept(tcp::acceptor& acceptor, const plan& orders, meter& m) {
    acceptor.async_accept([this, &acceptor, orders, &m](error_code ec, tcp::socket s) {
      if (!ec)
        start_serving(std::move(s), orders, m);
      accept(acceptor, orders, m);
    });
  }

  void start_serving(tcp::socket s, const plan& orders, meter& m) {
    switch (orders.what) {
    case exchange::ping_pong:
      (new ping_pong_end(std::move(s), orders.message_size, nullptr))->start();
      break;
    case exchange::connect_close:
      (new quiet_end(std::move(s), &on_closed_))->start();
      break;
    case exchange::pipelined:
      (new pipelined_receiver(std::move(s), orders.message_size, m))->start();
      break;
    case exchange::bulk:
      (new bulk_receiver(std::move(s), m))->start();
      break;
    case exchange::idle:
      (new quiet_end(std::move(s), nullptr))->start();
      m.add(1);
    }
  }

  void connect(const plan& orders, const tcp::endpoint& to, meter& m) {
    auto s = std::make_unique<tcp::socket>(context_, to.protocol());
    auto& socket = *s;
    socket.set_option(tcp::no_delay(true));
    socket.async_connect(to, [this, orders, &m, s = std::move(s)](error_code ec) {
      if (ec)
        throw std::system_error(ec, "connect");
      start_driving(std::move(*s), orders, m);
    });
  }

  void start_driving(tcp::socket s, const plan& orders, meter& m) {
    switch (orders.what) {
    case exchange::ping_pong:
      (new ping_pong_end(std::move(s), orders.message_size, &m))->start();
      break;
    case exchange::connect_close:
      s.close();
      break;
    case exchange::pipelined:
      (new pipelined_sender(std::move(s), orders.message_size))->start();
      break;
    case exchange::bulk:
      (new bulk_sender(std::move(s), orders.message_size))->start();
      break;
    case exchange::idle:
      (new quiet_end(std::move(s), nullptr))->start();
      m.add(1);
      next_();
    }
  }

  asio::io_context context_{1};
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors_;
  hook next_;
  hook on_closed_;
};

}  // namespace

std::unique_ptr<host> make_asio() { return std::make_unique<asio_host>(); }

}  // namespace bench
