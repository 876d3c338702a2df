/* What is told at the end of a job, for people and for scripts. */
#ifndef FSH_CLI_SUMMARY_H
#define FSH_CLI_SUMMARY_H

#include "coordinator/coordinator.h"
#include "job/job.h"
#include "shards/index.h"

/* Prints some lines: samples in, delivered, rejected by reason, pictures, shards, rate, where they are. served: of
 * the run that took so many seconds, of which the rate is; NULL: no rate. */
void fsh_summary_print(const fsh_job *job, const fsh_index_totals *totals, uint32_t units,
                       const fsh_coordinator_totals *served, double seconds);

/* Prints {"event":"done","samples":..,"delivered":..,"images":..,"rejected":{..},"refused":{..},
 * "seconds":..}; refused is what strangers and broken workers have tried. */
void fsh_summary_print_json(const fsh_index_totals *totals, const fsh_coordinator_totals *served,
                            double seconds);

/* REJECTED when a larger share than the job's max_rejected was rejected; what `sample` left out does not
 * count. */
fsh_status fsh_summary_judge(const fsh_job *job, const fsh_index_totals *totals, fsh_err *err);

#endif
