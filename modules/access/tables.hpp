// The tables of this procedure's kinds. Inside modules/access only.
#pragma once

#include "kernel/case/api.hpp"

namespace jw::access {

extern const cases::Kind kAccess, kRenewal, kChange, kRevocation, kConfirmation;

constexpr std::string_view kOffice = "academic_office", kHead = "department_head", kOfficeUnit = "jwc";

constexpr std::string_view kLetterSeries = "教查";

// Whom these cases wait for.
extern const cases::Waits kWaitsHead, kWaitsOwner, kWaitsOffice;

// As the rows of the tables spell them.
constexpr cases::Opinion kMay = cases::Opinion::optional, kMust = cases::Opinion::required;
constexpr cases::Tone kGood = cases::Tone::good, kBad = cases::Tone::bad, kBack = cases::Tone::back;
constexpr cases::Seal kSigns = cases::Seal::signs, kApproves = cases::Seal::approves;

// Whose matter something is: a person's, or that of a post in a unit.
struct Concern {
  int64_t person = 0;
  std::string post, unit;
};
// The unit whose head signs for people of a unit: that one, when it has a head who is not concerned; else the unit
// above, in the end the office.
cases::Unit signing_unit(const cases::Services& on, db::Connection& connection, std::string unit,
                         const Concern& concern, Instant now);

// Whether a grant may be to this post: offices are held by appointment, while what one is (a student, of the staff) is
// oneself, and what one stands in for is the principal's.
inline bool can_be_holder(const cases::Actor::Held& held) {
  return held.for_person == 0 && !held.unit.empty() && held.post != "student" && held.post != "graduate" &&
         held.post != "staff";
}

// What was granted, or failing that asked for.
boost::json::object content_of(const cases::Case& file);

}  // namespace jw::access
