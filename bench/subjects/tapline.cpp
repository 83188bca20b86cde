// Tapline by its public API: one shard, owners that live on it, events as messages.

#include "taps/bench/harness/pipeline.hpp"
#include "taps/bench/subjects/makers.hpp"
#include "taps/taps.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <cstdio>
#include <functional>
#include <string_view>
#include <unistd.h>

namespace bench {

namespace {

using hook = std::function<void()>;

// -- what owners have in common -----------------------------------------------

constexpr auto endlessly = taps::receive_request::unlimited;

taps::slice bytes_to_send(std::size_t size) {
  return taps::slice::borrow_static({payload(), size});
}

// Bytes as they come, at least `min` and at most `max` at a time, for ever.
taps::receive_request stream_of(std::size_t min, std::size_t max) {
  return {.min_incomplete_length = min, .max_length = max, .count = endlessly};
}

// Whole messages, for ever.
taps::receive_request messages() { return {.count = endlessly}; }

// When a run ends, its processes do so one by one, and those left see their peers go.
void ignore_others(caf::event_based_actor* self) { self->set_default_handler(caf::drop); }

void failed(const taps::establishment_error& ev) {
  std::fprintf(stderr, "compare: tapline: %s\n", to_string(ev.reason).c_str());
}

// -- ping-pong ----------------------------------------------------------------

// Owns both kinds of end; with a meter the driving one, which sends first.
caf::behavior ping_pong_owner(caf::event_based_actor* self, std::size_t size, meter* m) {
  ignore_others(self);
  auto ball = bytes_to_send(size);
  auto catch_ball = stream_of(size, size);
  return {
      [=](const taps::received_partial& ev) {
        if (ev.end_of_message)
          return;
        if (m != nullptr)
          m->add(1);
        taps::send(ev.connection, ball);
      },
      [=](const taps::connection_received& ev) { taps::receive(ev.connection, catch_ball); },
      [=](const taps::ready& ev) {
        taps::receive(ev.connection, catch_ball);
        taps::send(ev.connection, ball);
      },
      failed,
  };
}

// -- pipelined messages -------------------------------------------------------

caf::behavior pipelined_sender(caf::event_based_actor* self, std::size_t size) {
  ignore_others(self);
  auto window = std::make_shared<send_window>();
  auto message = bytes_to_send(size);
  auto send_all = [=](const taps::connection& to) {
    for (auto n = window->take_all(); n > 0; --n)
      taps::send(to, message);
  };
  return {
      [=](const taps::received& ev) {
        window->acknowledged(1);
        send_all(ev.connection);
      },
      [=](const taps::ready& ev) {
        taps::receive(ev.connection, messages());
        send_all(ev.connection);
      },
      failed,
  };
}

caf::behavior pipelined_receiver(caf::event_based_actor* self, std::size_t size, meter* m) {
  ignore_others(self);
  auto ack = bytes_to_send(size);
  auto acks = std::make_shared<ack_counter>();
  return {
      [=](const taps::received& ev) {
        for (auto due = acks->received(1); due > 0; --due)
          taps::send(ev.connection, ack);
        m->add(1);
      },
      [](const taps::connection_received& ev) { taps::receive(ev.connection, messages()); },
      failed,
  };
}

// -- bulk ---------------------------------------------------------------------

// The next send follows when the one before has left.
caf::behavior bulk_sender(caf::event_based_actor* self, std::size_t size) {
  ignore_others(self);
  auto piece = bytes_to_send(size);
  // Parts of one message without end: a byte stream has no other.
  auto send_piece = [=](const taps::connection& to) {
    taps::send(to, piece, {}, {.end_of_message = false, .notify = true});
  };
  return {
      [=](const taps::sent& ev) { send_piece(ev.connection); },
      [=](const taps::ready& ev) { send_piece(ev.connection); },
      failed,
  };
}

caf::behavior bulk_receiver(caf::event_based_actor* self, meter* m) {
  ignore_others(self);
  return {
      [=](const taps::received_partial& ev) { m->add(ev.message.size()); },
      [](const taps::connection_received& ev) {
        taps::receive(ev.connection, stream_of(1, endlessly));
      },
      failed,
  };
}

// -- connect, close, idle -----------------------------------------------------

// The serving end: closes when the peer did, and says so.
caf::behavior closing_server(caf::event_based_actor* self, hook on_closed) {
  ignore_others(self);
  return {
      [](const taps::connection_received& ev) {
        taps::receive(ev.connection, stream_of(1, endlessly));
      },
      [](const taps::received_partial& ev) {
        if (ev.end_of_message)
          taps::close(ev.connection);
      },
      [](const taps::receive_error& ev) { taps::close(ev.connection); },
      [=](const taps::closed&) { on_closed(); },
      failed,
  };
}

// The driving end: closes as soon as it is open.
caf::behavior closing_client(caf::event_based_actor* self) {
  ignore_others(self);
  return {
      [](const taps::ready& ev) { taps::close(ev.connection); },
      [](const taps::closed&) {
        // the serving end counts
      },
      failed,
  };
}

// Ready to receive; counts what opened, then calls `next`.
caf::behavior idle_owner(caf::event_based_actor* self, meter* m, hook next) {
  ignore_others(self);
  auto opened = [=](const taps::connection& c) {
    taps::receive(c, stream_of(1, endlessly));
    m->add(1);
    next();
  };
  return {
      [=](const taps::connection_received& ev) { opened(ev.connection); },
      [=](const taps::ready& ev) { opened(ev.connection); },
      failed,
  };
}

// -- the host -----------------------------------------------------------------

struct config : caf::actor_system_config {
  config() {
    // Nobody uses the scheduler; sharing has its one thread sleep, where stealing would poll.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
  }
};

taps::transport_services_options one_shard() {
  taps::transport_services_options result;
  result.shards = 1;
  return result;
}

class tapline_host : public host {
public:
  tapline_host() : system_(config_), services_(system_, one_shard()) {
    // nop
  }

  std::uint16_t serve(const plan& orders, meter& m) override {
    taps::local_endpoint here;
    here.with_ip_address(orders.address).with_port(0);
    auto what = services_.preconnection(here, taps::reliable_inorder_stream(),
                                        taps::security_parameters::disabled());
    frame(what, orders);
    auto listener = taps::listen(what, serving_owner(orders, m));
    caf::scoped_actor self{system_};
    std::uint16_t port = 0;
    self->request(listener, caf::infinite, taps::get_properties_command{})
        .receive(
            [&](const taps::property_list& x) {
              port =
                  static_cast<std::uint16_t>(x.get("_tapline.localPort").get_or<std::int64_t>(0));
            },
            [](const caf::error&) {
              // port 0 fails the run
            });
    return port;
  }

  void drive(const plan& orders, std::uint16_t port, meter& m) override {
    taps::remote_endpoint there;
    there.with_ip_address(orders.address).with_port(port);
    auto what = services_.preconnection(there, taps::reliable_inorder_stream(),
                                        taps::security_parameters::disabled());
    frame(what, orders);
    // The owner is made later than the hook that needs it.
    auto owner = std::make_shared<caf::actor>();
    next_ = [=, what = std::move(what), left = orders.connections]() mutable {
      if (orders.what != exchange::idle || left-- > 0)
        taps::initiate(what, *owner);
    };
    *owner = driving_owner(orders, m);
    next_();
  }

  void run() override {
    // The shard has its own thread, on the CPU that this one was kept on when it started it.
    for (;;)
      ::pause();
  }

private:
  static void frame(taps::preconnection& what, const plan& orders) {
    if (orders.what == exchange::pipelined)
      what.add_framer(taps::length_prefix());
  }

  caf::actor serving_owner(const plan& orders, meter& m) {
    switch (orders.what) {
    case exchange::ping_pong:
      return services_.spawn(ping_pong_owner, orders.message_size, static_cast<meter*>(nullptr));
    case exchange::connect_close:
      return services_.spawn(closing_server, hook{[this, &m] {
                               m.add(1);
                               next_();
                             }});
    case exchange::pipelined:
      return services_.spawn(pipelined_receiver, orders.message_size, &m);
    case exchange::bulk:
      return services_.spawn(bulk_receiver, &m);
    case exchange::idle:
      break;
    }
    return services_.spawn(idle_owner, &m, hook{[] {
                             // the peer opens the next one
                           }});
  }

  caf::actor driving_owner(const plan& orders, meter& m) {
    switch (orders.what) {
    case exchange::ping_pong:
      return services_.spawn(ping_pong_owner, orders.message_size, &m);
    case exchange::connect_close:
      return services_.spawn(closing_client);
    case exchange::pipelined:
      return services_.spawn(pipelined_sender, orders.message_size);
    case exchange::bulk:
      return services_.spawn(bulk_sender, orders.message_size);
    case exchange::idle:
      break;
    }
    return services_.spawn(idle_owner, &m, hook{[this] { next_(); }});
  }

  config config_;
  caf::actor_system system_;
  taps::transport_services services_;
  hook next_;
};

}  // namespace

std::unique_ptr<host> make_tapline() { return std::make_unique<tapline_host>(); }

}  // namespace bench
