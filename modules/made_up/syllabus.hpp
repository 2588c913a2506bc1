// What is taught at the made-up university: colleges with their majors, and the names of courses.
#pragma once

#include <span>
#include <string_view>

namespace jw::made_up {

struct MajorText {
  std::string_view letters;   // of its classes: CS2301
  std::string_view national;  // code of the national catalogue
  std::string_view name, short_name;
  std::string_view degree;  // GB/T 6864
};

struct CollegeText {
  std::string_view code, name, english, short_name;
  std::string_view letters;  // of its courses: CS2001
  int weight;                // its share of the students
  bool science;              // mathematics and physics in the first years
  std::span<const MajorText> majors;
  std::string_view core;       // 22 courses, '|' between them, in the order in which they are studied
  std::string_view electives;  // 8 courses
};
std::span<const CollegeText> colleges();  // 16; the first ones exist in small universities too

// A course for everybody. `owner`: letters of the college that teaches it, "MX" Marxism, "TY" sports.
enum class Grading { score, levels, pass };
struct PublicText {
  int term;  // 1 … 8
  std::string_view number, name, owner;
  int credits;  // tenths
  int hours;
  Grading grading;
  int classes;                // taught together
  std::string_view category;  // KCLB
};
std::span<const PublicText> public_courses(bool science);

struct GeneralText {
  std::string_view name, owner;
};
std::span<const GeneralText> general_electives();  // 40

}  // namespace jw::made_up
