// Brings out what a command has written below a folder: a stream of UchroniaFileRecords.
//
// The overlay's upper folder tells what is new or changed. What lay there before the command began
// (folders that the agent made) is told by its time of change, which nobody can set.
#pragma once

namespace uchronia::agent {

// Call it before the command starts: what is written from now on has a later time than what was
// written before, though the kernel's clock for files has coarse steps.
void wait_for_next_moment();

// Ends all processes, and sends what has changed below `folder` (a path in the new root). `upper`
// is the overlay's open upper folder.
void bring_out_files(int upper, const char* folder);

// For a visit: sends a file, or all that is in a folder as programs see it now, whoever wrote it;
// file systems that are views of the kernel are left out. The exit status of a program.
int bring_out_all(const char* path);

}  // namespace uchronia::agent
