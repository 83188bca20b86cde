#pragma once

/// Everything an application needs from Tapline.

#include "taps/actors/actions.hpp"
#include "taps/actors/messages.hpp"
#include "taps/actors/pinned.hpp"
#include "taps/actors/transport_services.hpp"
#include "taps/core/message/framers/length_prefix.hpp"
#include "taps/core/racing/establishment_report.hpp"
