"""Named wrong versions of the answers to question 1."""

from itertools import pairwise

import torch

from autograder.probes import Mistakes, edit

mistakes = Mistakes()

# --- euler --------------------------------------------------------------------------------------------------------

mistakes.at(
    "path.append(path[-1] + h * velocity(path[-1], t))",
    edit("euler_time_at_end", "`euler` asks for the velocity at the time of the step's end; (1.1) asks at its beginning",
         "path.append(path[-1] + h * velocity(path[-1], t + h))"),
    edit("euler_time_in_the_middle", "`euler` asks for the velocity at the middle of the step; (1.1) asks at its beginning",
         "path.append(path[-1] + h * velocity(path[-1], t + h / 2))"),
    edit("euler_first_time", "`euler` asks for the velocity at the first time in every step; each step has its own time",
         "path.append(path[-1] + h * velocity(path[-1], times[0]))"),
    edit("euler_time_from_zero", "`euler` gives the velocity the time since the start; it takes the entry of `times` itself",
         "path.append(path[-1] + h * velocity(path[-1], t - times[0]))"),
    edit("euler_time_as_share", "`euler` gives the velocity the share of the time that has passed; it takes the entry of `times` itself",
         "path.append(path[-1] + h * velocity(path[-1], (t - times[0]) / (times[-1] - times[0])))"),
    edit("euler_step_as_time", "`euler` gives the velocity h where it takes the time t",
         "path.append(path[-1] + h * velocity(path[-1], h))"),
    edit("euler_velocity_at_start", "`euler` asks for the velocity at the start x in every step; it must be asked at the present state",
         "path.append(path[-1] + h * velocity(x, t))"),
    edit("euler_from_start", "`euler` adds each step to the start x, so the steps before it are lost",
         "path.append(x + h * velocity(path[-1], t))"),
    edit("euler_all_time_from_start", "`euler` takes each step from the start x over all the time since then; it goes on from the last state",
         "path.append(x + (t + h - times[0]) * velocity(path[-1], t))"),
    edit("euler_no_h", "`euler` adds the velocity without multiplying it by h", "path.append(path[-1] + velocity(path[-1], t))"),
    edit("euler_minus", "`euler` subtracts the step; (1.1) adds it, and a falling time makes h negative by itself",
         "path.append(path[-1] - h * velocity(path[-1], t))"),
    edit("euler_h_without_sign", "`euler` takes |h|: where the times fall, it walks the wrong way",
         "path.append(path[-1] + h.abs() * velocity(path[-1], t))"),
    edit("euler_root", "`euler` multiplies the velocity by the root of |h|; the root belongs to noise alone",
         "path.append(path[-1] + h.sign() * h.abs().sqrt() * velocity(path[-1], t))"),
    edit("euler_root_nan", "`euler` multiplies the velocity by the root of h; the root belongs to noise alone, and is NaN where the times fall",
         "path.append(path[-1] + h.sqrt() * velocity(path[-1], t))"),
    edit("euler_h_squared", "`euler` multiplies by h twice", "path.append(path[-1] + h**2 * velocity(path[-1], t))"),
    edit("euler_half", "`euler` takes half of each step", "path.append(path[-1] + h / 2 * velocity(path[-1], t))"),
    edit("euler_time_for_h", "`euler` multiplies the velocity by the time t; it is to be multiplied by the step h",
         "path.append(path[-1] + t * velocity(path[-1], t))"),
    edit("euler_first_h", "`euler` uses the first step's size for all steps; `times` may be uneven",
         "path.append(path[-1] + (times[1] - times[0]) * velocity(path[-1], t))"),
    edit("euler_last_h", "`euler` uses the last step's size for all steps; `times` may be uneven",
         "path.append(path[-1] + (times[-1] - times[-2]) * velocity(path[-1], t))"),
    edit("euler_mean_h", "`euler` cuts the whole time into equal steps; `times` may be uneven",
         "path.append(path[-1] + (times[-1] - times[0]) / (len(times) - 1) * velocity(path[-1], t))"),
    edit("euler_even_times", "`euler` makes equal steps and times of its own between the first and the last; `times` may be uneven",
         "times = torch.linspace(float(times[0]), float(times[-1]), len(times), dtype=times.dtype, device=times.device); i = len(path); path.append(path[-1] + (times[i] - times[i - 1]) * velocity(path[-1], times[i - 1]))"),
    edit("euler_implicit", "`euler` repeats the step with the velocity at its end (the implicit method); (1.1) asks once, at the beginning",
         """
         y = path[-1]
         for _ in range(3):
             y = path[-1] + h * velocity(y, t + h)
         path.append(y)
         """),
    edit("euler_unit_time", "`euler` takes 1/S for the step, as if the whole time were 1",
         "path.append(path[-1] + velocity(path[-1], t) / (len(times) - 1))"),
    edit("euler_one_over_points", "`euler` takes one over the number of entries of `times` for the step; h is the difference of two of them",
         "path.append(path[-1] + velocity(path[-1], t) / len(times))"),
    edit("euler_replaces", "`euler` takes h times the velocity as the next state; it is to be added to the present one",
         "path.append(h * velocity(path[-1], t))"),
    edit("euler_in_place", "`euler` changes one tensor in place: all states of the path are the last one, and x itself is lost",
         "path.append(path[-1].add_(h * velocity(path[-1], t)))"),
    edit("euler_same_tensor", "`euler` adds to one copy in place, and puts that copy into the path again and again: all states are the last one",
         "path[0] = path[0].clone() if len(path) == 1 else path[0]; path.append(path[-1].add_(h * velocity(path[-1], t)))"),
    edit("euler_velocity_changed", "`euler` multiplies the velocity's answer by h in place; it may be x itself, or be needed by others",
         "path.append(path[-1] + velocity(path[-1], t).mul_(h))"),
    edit("euler_is_heun", "`euler` takes Heun's step; (1.1) asks for the velocity once",
         "v = velocity(path[-1], t); path.append(path[-1] + h / 2 * (v + velocity(path[-1] + h * v, t + h)))"),
    edit("euler_is_midpoint", "`euler` takes the velocity in the middle of the step, at a trial state; (1.1) asks for it once, at the beginning",
         "v = velocity(path[-1], t); path.append(path[-1] + h * velocity(path[-1] + h / 2 * v, t + h / 2))"),
    edit("euler_twice", "`euler` asks for the velocity twice in a step; once is enough, and it is what costs",
         "velocity(path[-1], t); path.append(path[-1] + h * velocity(path[-1], t))"),
    edit("euler_from_trial", "`euler` asks for the velocity at the end of a trial step; (1.1) asks where the step begins",
         "trial = path[-1] + h * velocity(path[-1], t); path.append(path[-1] + h * velocity(trial, t + h))"),
    edit("euler_float32", "`euler` computes in float32 whatever comes in", "path.append((path[-1] + h * velocity(path[-1], t)).float().to(x.dtype))"),
    edit("euler_time_repeated", "`euler` gives the velocity one time for each point; it takes a tensor without axes",
         "path.append(path[-1] + h * velocity(path[-1], t.expand(len(x))))"),
    edit("euler_time_number", "`euler` gives the velocity a Python number as time; it takes a tensor without axes",
         "path.append(path[-1] + h * velocity(path[-1], float(t)))"),
    edit("euler_swapped", "`euler` calls the velocity with the time first; it takes the state, then the time",
         "path.append(path[-1] + h * velocity(t, path[-1]))"),
    edit("euler_number", "`euler` gives the velocity the number of the step; it takes the entry of `times`",
         "path.append(path[-1] + h * velocity(path[-1], 0 * t + len(path) - 1))"),
)

mistakes.at(
    """
    for t, h in zip(times, times.diff()):
    """,
    edit("euler_steps_backwards", "`euler` uses the steps' sizes in the reverse order", "for t, h in zip(times, times.diff().flip(0)):"),
    edit("euler_next_h", "`euler` uses the size of the next step, from the second entry of `times` on",
         "for t, h in zip(times, torch.cat([times.diff()[1:], times.diff()[-1:]])):"),
    edit("euler_sorted", "`euler` sorts the times; they may fall, and then the path runs backwards",
         "times = times.sort().values\n    for t, h in zip(times, times.diff()):"),
    edit("euler_reversed", "`euler` begins at the last time; the path begins with x at `times[0]`",
         "times = times.flip(0)\n    for t, h in zip(times, times.diff()):"),
    edit("euler_one_short", "`euler` leaves the last step out: S + 1 times are S steps", "for t, h in zip(times, times.diff()[:-1]):"),
    edit("euler_first_step_missing", "`euler` leaves the first step out: it begins with the second entry of `times`",
         "for t, h in zip(times[1:], times.diff()[1:]):"),
    edit("euler_asks_at_the_end", "`euler` asks for the velocity once more at the last time, which no step needs; evaluations are what costs",
         "_ = velocity(x, times[-1])\n    for t, h in zip(times, times.diff()):"),
    edit("euler_one_too_many", "`euler` takes a step too many, after the last time",
         "for t, h in zip(times, torch.cat([times.diff(), times.diff()[-1:]])):"),
)

# --- heun ---------------------------------------------------------------------------------------------------------

mistakes.at(
    """
    here = velocity(path[-1], t)
    there = velocity(path[-1] + (s - t) * here, s)
    path.append(path[-1] + (s - t) / 2 * (here + there))
    """,
    edit("heun_is_euler", "`heun` takes Euler's step; the second velocity is missing",
         "path.append(path[-1] + (s - t) * velocity(path[-1], t))"),
    edit("heun_midpoint", "`heun` takes the velocity in the middle of the step, at half a trial step (the midpoint method); (1.2) averages those at both ends",
         """
         here = velocity(path[-1], t)
         path.append(path[-1] + (s - t) * velocity(path[-1] + (s - t) / 2 * here, (s + t) / 2))
         """),
    edit("heun_midpoint_at_t", "`heun` moves with the velocity after half a trial step, and asks for it at the step's first time; (1.2) averages those at both ends",
         """
         here = velocity(path[-1], t)
         path.append(path[-1] + (s - t) * velocity(path[-1] + (s - t) / 2 * here, t))
         """),
    edit("heun_averages_states", "`heun` averages the trial state with the state that (1.2) gives; only the velocities are averaged",
         """
         here = velocity(path[-1], t)
         trial = path[-1] + (s - t) * here
         path.append((trial + path[-1] + (s - t) / 2 * (here + velocity(trial, s))) / 2)
         """),
    edit("heun_adams", "`heun` reuses the velocity of the step before, as methods of several steps do; (1.2) asks at a trial state",
         """
         here = velocity(path[-1], t)
         path.append(path[-1] + (s - t) * (here if len(path) == 1 else 1.5 * here - 0.5 * there))
         there = here
         """),
    edit("heun_trials_ahead", "`heun` takes its trial states from one walk by Euler over all times; each trial starts at the present state",
         """
         there = velocity(euler(velocity, x, times)[len(path)], s)
         path.append(path[-1] + (s - t) / 2 * (velocity(path[-1], t) + there))
         """),
    edit("heun_euler_where_falling", "`heun` takes Euler's step where the times fall; (1.2) holds there, too",
         """
         here = velocity(path[-1], t)
         path.append(path[-1] + (s - t) / 2 * (here + (velocity(path[-1] + (s - t) * here, s) if s > t else here)))
         """),
    edit("heun_ralston", "`heun` weighs the two velocities ¼ and ¾, the second at two thirds of the step (Ralston's method); (1.2) is their mean at both ends",
         """
         here = velocity(path[-1], t)
         there = velocity(path[-1] + (s - t) * 2 / 3 * here, t + (s - t) * 2 / 3)
         path.append(path[-1] + (s - t) * (here / 4 + 3 * there / 4))
         """),
    edit("heun_rk4", "`heun` takes the Runge-Kutta step of order 4, with four evaluations; (1.2) has two",
         """
         h = s - t
         k1 = velocity(path[-1], t)
         k2 = velocity(path[-1] + h / 2 * k1, t + h / 2)
         k3 = velocity(path[-1] + h / 2 * k2, t + h / 2)
         path.append(path[-1] + h / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(path[-1] + h * k3, s)))
         """),
    edit("heun_reused", "`heun` keeps the velocity of the trial state for the next step; the next step begins elsewhere, so it must be asked anew",
         """
         here = velocity(path[-1], t) if len(path) == 1 else there
         there = velocity(path[-1] + (s - t) * here, s)
         path.append(path[-1] + (s - t) / 2 * (here + there))
         """),
    edit("heun_last_step_euler", "`heun` ends with an Euler step; (1.2) holds for all steps",
         """
         here = velocity(path[-1], t)
         there = velocity(path[-1] + (s - t) * here, s) if len(path) < len(times) - 1 else here
         path.append(path[-1] + (s - t) / 2 * (here + there))
         """),
    edit("heun_last_step_euler_costly", "`heun` ends with an Euler step, though it evaluates twice; (1.2) holds for all steps",
         """
         here = velocity(path[-1], t)
         there = velocity(path[-1] + (s - t) * here, s)
         path.append(path[-1] + (s - t) / 2 * (here + (there if len(path) < len(times) - 1 else here)))
         """),
    edit("heun_first_step_euler", "`heun` begins with an Euler step; (1.2) holds for all steps",
         """
         here = velocity(path[-1], t)
         there = velocity(path[-1] + (s - t) * here, s) if len(path) > 1 else here
         path.append(path[-1] + (s - t) / 2 * (here + there))
         """),
    edit("heun_three_calls", "`heun` asks for the same velocity twice in a step: three evaluations where two are enough",
         """
         here = velocity(path[-1], t)
         there = velocity(path[-1] + (s - t) * velocity(path[-1], t), s)
         path.append(path[-1] + (s - t) / 2 * (here + there))
         """),
    edit("heun_iterated", "`heun` corrects twice: the corrected state is used as a second trial, at the price of a third evaluation",
         """
         here = velocity(path[-1], t)
         trial = path[-1] + (s - t) / 2 * (here + velocity(path[-1] + (s - t) * here, s))
         path.append(path[-1] + (s - t) / 2 * (here + velocity(trial, s)))
         """),
    edit("heun_from_trial", "`heun` adds the mean velocity to the trial state; (1.2) goes back to where the step began",
         """
         here = velocity(path[-1], t)
         trial = path[-1] + (s - t) * here
         path.append(trial + (s - t) / 2 * (here + velocity(trial, s)))
         """),
    edit("heun_mean_state", "`heun` averages states and times and asks for the velocity there; (1.2) averages the two velocities",
         """
         trial = path[-1] + (s - t) * velocity(path[-1], t)
         path.append(path[-1] + (s - t) * velocity((path[-1] + trial) / 2, s))
         """),
    edit("heun_in_place", "`heun` moves x in place: all states of the path are the last one, and x itself is lost",
         """
         here = velocity(path[-1], t).clone()
         there = velocity(path[-1] + (s - t) * here, s)
         path.append(path[-1].add_((s - t) / 2 * (here + there)))
         """),
    edit("heun_velocity_changed", "`heun` changes the velocity's answer in place; it may be x itself, or be needed by others",
         """
         here = velocity(path[-1], t)
         there = velocity(path[-1] + (s - t) * here, s)
         path.append(path[-1] + here.add_(there).mul_((s - t) / 2))
         """),
    edit("heun_float32", "`heun` computes in float32 whatever comes in",
         """
         here = velocity(path[-1], t)
         there = velocity(path[-1] + (s - t) * here, s)
         path.append((path[-1] + (s - t) / 2 * (here + there)).float().to(x.dtype))
         """),
)

mistakes.at(
    "here = velocity(path[-1], t)",
    edit("heun_first_at_start", "`heun` asks for the first velocity at the start x in every step; it must be asked at the present state",
         "here = velocity(x, t)"),
    edit("heun_first_time_late", "`heun` asks for both velocities at the time of the step's end; the first belongs to its beginning",
         "here = velocity(path[-1], s)"),
    edit("heun_swapped", "`heun` calls the velocity with the time first; it takes the state, then the time", "here = velocity(t, path[-1])"),
    edit("heun_time_number", "`heun` gives the velocity a Python number as time; it takes a tensor without axes", "here = velocity(path[-1], float(t))"),
)

mistakes.at(
    "there = velocity(path[-1] + (s - t) * here, s)",
    edit("heun_second_at_t", "`heun` asks for the second velocity at the time of the step's beginning; it belongs to its end",
         "there = velocity(path[-1] + (s - t) * here, t)"),
    edit("heun_second_at_middle", "`heun` asks for the second velocity at the middle of the step; it belongs to its end",
         "there = velocity(path[-1] + (s - t) * here, (s + t) / 2)"),
    edit("heun_no_trial", "`heun` asks for both velocities at the same state; the second belongs to the trial state",
         "there = velocity(path[-1], s)"),
    edit("heun_same_twice", "`heun` moves with the first velocity alone, though it asks twice: Euler's step at twice the price",
         "there = velocity(path[-1], t)"),
    edit("heun_half_trial", "`heun` goes half a step before it asks for the second velocity; the trial step of (1.2) is the whole one",
         "there = velocity(path[-1] + (s - t) / 2 * here, s)"),
    edit("heun_half_trial_half_time", "`heun` averages the velocities at the beginning and in the middle of the step (as two half steps of Euler do); the second belongs to its end",
         "there = velocity(path[-1] + (s - t) / 2 * here, (s + t) / 2)"),
    edit("heun_trial_minus", "`heun` takes the trial step in the wrong direction", "there = velocity(path[-1] - (s - t) * here, s)"),
    edit("heun_trial_without_h", "`heun` takes the trial step without multiplying by h", "there = velocity(path[-1] + here, s)"),
    edit("heun_trial_is_velocity", "`heun` hands h times the first velocity to the second call; the trial state is that added to x",
         "there = velocity((s - t) * here, s)"),
    edit("heun_trial_from_start", "`heun` takes each trial step from the start x; it begins at the present state",
         "there = velocity(x + (s - t) * here, s)"),
    edit("heun_trial_abs", "`heun` takes the trial step with |h|: where the times fall, it is tried the wrong way",
         "there = velocity(path[-1] + (s - t).abs() * here, s)"),
    edit("heun_euler_at_zero", "`heun` takes Euler's step where the step ends at time 0, as some samplers of diffusion models do; (1.2) holds for all steps",
         "there = velocity(path[-1] + (s - t) * here, s) if s != 0 else here"),
    edit("heun_second_at_last", "`heun` asks for the second velocity at the last time of all; it belongs to the step's end",
         "there = velocity(path[-1] + (s - t) * here, times[-1])"),
)

mistakes.at(
    "path.append(path[-1] + (s - t) / 2 * (here + there))",
    edit("heun_sum", "`heun` takes a whole step with each of the two velocities; their mean belongs there, so each step is twice as long",
         "path.append(path[-1] + (s - t) * (here + there))"),
    edit("heun_half_of_first", "`heun` halves the first velocity only", "path.append(path[-1] + (s - t) * (here / 2 + there))"),
    edit("heun_precedence", "`heun` halves the second velocity only, as if brackets were missing, or adds it to the whole trial step; each of the two counts half",
         "path.append(path[-1] + (s - t) * (here + there / 2))"),
    edit("heun_h_on_first_only", "`heun` multiplies only the first velocity by h: a pair of brackets is missing",
         "path.append(path[-1] + (s - t) / 2 * here + there)"),
    edit("heun_second_only", "`heun` moves with the second velocity alone; (1.2) takes the mean of both",
         "path.append(path[-1] + (s - t) * there)"),
    edit("heun_difference", "`heun` subtracts the velocities; (1.2) adds them", "path.append(path[-1] + (s - t) / 2 * (here - there))"),
    edit("heun_minus", "`heun` subtracts the step; (1.2) adds it", "path.append(path[-1] - (s - t) / 2 * (here + there))"),
    edit("heun_abs", "`heun` takes |h|: where the times fall, it walks the wrong way", "path.append(path[-1] + (s - t).abs() / 2 * (here + there))"),
    edit("heun_abs_all", "`heun` takes |h| in both of its steps: where the times fall, it walks the wrong way",
         "path.append(path[-1] + (s - t).abs() / 2 * (here + there))",
         ("there = velocity(path[-1] + (s - t) * here, s)", "there = velocity(path[-1] + (s - t).abs() * here, s)")),
    edit("heun_h_and_time_abs", "`heun` takes |h| and the time t + |h|: where the times fall, it walks the wrong way",
         "path.append(path[-1] + (s - t).abs() / 2 * (here + there))",
         ("there = velocity(path[-1] + (s - t) * here, s)", "there = velocity(path[-1] + (s - t).abs() * here, t + (s - t).abs())")),
    edit("heun_no_h", "`heun` adds the mean velocity without multiplying it by h", "path.append(path[-1] + (here + there) / 2)"),
    edit("heun_first_h", "`heun` uses the first step's size for all steps; `times` may be uneven",
         "path.append(path[-1] + (times[1] - times[0]) / 2 * (here + there))",
         ("there = velocity(path[-1] + (s - t) * here, s)", "there = velocity(path[-1] + (times[1] - times[0]) * here, s)")),
    edit("heun_mean_h", "`heun` cuts the whole time into equal steps; `times` may be uneven",
         "path.append(path[-1] + (times[-1] - times[0]) / (len(times) - 1) / 2 * (here + there))",
         ("there = velocity(path[-1] + (s - t) * here, s)", "there = velocity(path[-1] + (times[-1] - times[0]) / (len(times) - 1) * here, s)")),
    edit("heun_from_start", "`heun` adds each step to the start x, so the steps before it are lost",
         "path.append(x + (s - t) / 2 * (here + there))"),
    edit("heun_quarter", "`heun` multiplies by h/4 or halves the sum twice", "path.append(path[-1] + (s - t) / 4 * (here + there))"),
)

mistakes.at(
    """
    for t, s in times.unfold(0, 2, 1):  # each time with the next
    """,
    edit("heun_one_short", "`heun` leaves the last step out: S + 1 times are S steps", "for t, s in times.unfold(0, 2, 1)[:-1]:"),
    edit("heun_time_shares", "`heun` moves all times so that the first is 0; the velocity takes the entries of `times`",
         "times = times - times[0]\n    for t, s in times.unfold(0, 2, 1):"),
)

# --- euler_maruyama -----------------------------------------------------------------------------------------------

mistakes.at(
    "kick = diffusion(path[-1], t) * step.abs().sqrt() * eps",
    edit("noise_twice", "`euler_maruyama` multiplies by the noise twice (the lab's mistake): the product of two draws is not Gaussian, and ε² is never negative",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * eps * eps"),
    edit("noise_twice_fresh", "`euler_maruyama` multiplies noise of its own with the noise that is given (the lab's mistake): the product of two draws is not Gaussian",
         "kick = diffusion(path[-1], t) * torch.randn_like(eps) * step.abs().sqrt() * eps"),
    edit("own_noise", "`euler_maruyama` draws noise of its own; the noise is given", "kick = diffusion(path[-1], t) * step.abs().sqrt() * torch.randn_like(eps)"),
    edit("own_noise_with_a_seed", "`euler_maruyama` sets a seed and draws noise of its own; the noise is given",
         "_ = torch.manual_seed(len(path)); kick = diffusion(path[-1], t) * step.abs().sqrt() * torch.randn_like(eps)"),
    edit("noise_h", "the noise is multiplied by h instead of its root, so that finer steps make less and less noise in total",
         "kick = diffusion(path[-1], t) * step * eps"),
    edit("noise_abs_h", "the noise is multiplied by |h| instead of its root, so that finer steps make less and less noise in total",
         "kick = diffusion(path[-1], t) * step.abs() * eps"),
    edit("noise_without_h", "the noise is not multiplied by the root of |h|", "kick = diffusion(path[-1], t) * eps"),
    edit("no_abs", "the root is taken of a negative h where the times fall, which is NaN; the variance is g²|h|",
         "kick = diffusion(path[-1], t) * step.sqrt() * eps"),
    edit("root_of_minus_h", "the root is taken of -h, as if the times always fell: it is NaN where they rise; the variance is g²|h|",
         "kick = diffusion(path[-1], t) * torch.sqrt(-step) * eps"),
    edit("milstein", "a term with ε² - 1 is added (Milstein's method); (1.3) has none",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * eps + 0.5 * diffusion(path[-1], t) * step.abs() * (eps**2 - 1)"),
    edit("noise_summed_up", "the noise is summed over the steps so far; each step adds its own kick, so the states do the summing",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * noise[: len(path)].sum(0)"),
    edit("two_moves", "the coefficient is taken after the drift, at the new state and the new time; (1.3) takes both where the step begins",
         "kick = diffusion(path[-1] + step * drift(path[-1], t), t + step) * step.abs().sqrt() * eps"),
    edit("h_clamped", "a negative h is made 0 in the noise: where the times fall there is none; the variance is g²|h|",
         "kick = diffusion(path[-1], t) * step.clamp(min=0).sqrt() * eps"),
    edit("noise_with_sign", "the noise takes the sign of h where the times fall; its factor is g times the root of |h|",
         "kick = diffusion(path[-1], t) * step.sign() * step.abs().sqrt() * eps"),
    edit("root_of_g", "the diffusion coefficient stands under the root as well; it is a standard deviation, the root is of h alone",
         "kick = (diffusion(path[-1], t) * step.abs()) ** 0.5 * eps"),
    edit("g_squared", "the diffusion coefficient is squared; g² h is the variance of a step, and noise is multiplied by the standard deviation",
         "kick = diffusion(path[-1], t) ** 2 * step.abs().sqrt() * eps"),
    edit("variance_for_std", "the noise is multiplied by the variance g²|h|; its factor is the root of that",
         "kick = diffusion(path[-1], t) ** 2 * step.abs() * eps"),
    edit("no_diffusion", "the noise is not multiplied by the diffusion coefficient", "kick = step.abs().sqrt() * eps"),
    edit("no_noise", "the noise is missing", "kick = 0 * diffusion(path[-1], t) * eps"),
    edit("noise_not_multiplied", "the coefficient is added without being multiplied by the noise",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * torch.ones_like(eps)"),
    edit("root_two", "the noise has the factor √2 of Langevin dynamics in other books; (1.3) has none",
         "kick = diffusion(path[-1], t) * (2 * step.abs()).sqrt() * eps"),
    edit("half_variance", "the variance of a step is halved; it is g²|h|", "kick = diffusion(path[-1], t) * (step.abs() / 2).sqrt() * eps"),
    edit("noise_minus", "the noise is subtracted; the law is the same, but not the path with this noise",
         "kick = -diffusion(path[-1], t) * step.abs().sqrt() * eps"),
    edit("first_noise", "the first step's noise is used in every step, so the kicks add up instead of averaging out",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * noise[0]"),
    edit("noise_backwards", "the noise is used from its end", "kick = diffusion(path[-1], t) * step.abs().sqrt() * noise[len(noise) - len(path)]"),
    edit("noise_backwards_where_falling", "the noise is used from its end where the times fall; the first step takes the first noise, whatever the times do",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * (eps if step > 0 else noise[len(noise) - len(path)])"),
    edit("one_noise_for_all", "all points get the noise of the first one; each has its own", "kick = diffusion(path[-1], t) * step.abs().sqrt() * eps[:1]"),
    edit("noise_normalised", "the noise is normalised over the points of a step; it is to be used as it is",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * (eps - eps.mean(0)) / eps.std(0, correction=0).clamp(min=1e-9)"),
    edit("diffusion_at_next_time", "the diffusion coefficient is taken at the time of the step's end; (1.3) takes it at the beginning",
         "kick = diffusion(path[-1], t + step) * step.abs().sqrt() * eps"),
    edit("diffusion_after_drift", "the diffusion coefficient is taken after the drift has moved the state; (1.3) takes both at the same state",
         "kick = diffusion(path[-1] + step * drift(path[-1], t), t) * step.abs().sqrt() * eps"),
    edit("diffusion_at_start", "the diffusion coefficient is taken at the start x in every step", "kick = diffusion(x, t) * step.abs().sqrt() * eps"),
    edit("diffusion_at_first_time", "the diffusion coefficient is taken at the first time in every step", "kick = diffusion(path[-1], times[0]) * step.abs().sqrt() * eps"),
    edit("diffusion_per_point", "the diffusion coefficient is taken for a tensor of shape (N,); it may be a number or any shape that broadcasts with x",
         "kick = diffusion(path[-1], t)[:, None] * step.abs().sqrt() * eps"),
    edit("diffusion_one_number", "the diffusion coefficient is turned into one number; it may differ between entries",
         "kick = torch.as_tensor(diffusion(path[-1], t)).item() * step.abs().sqrt() * eps"),
    edit("diffusion_first_entry", "only the first entry of the diffusion coefficient is used; it may differ between entries",
         "kick = torch.as_tensor(diffusion(path[-1], t)).flatten()[0] * step.abs().sqrt() * eps"),
    edit("diffusion_first_point", "all points get the diffusion coefficient of the first one; it may depend on the state",
         "g = torch.as_tensor(diffusion(path[-1], t)); kick = (g[:1] if g.dim() else g) * step.abs().sqrt() * eps"),
    edit("diffusion_mean", "the diffusion coefficient is averaged; it may differ between entries",
         "kick = torch.as_tensor(diffusion(path[-1], t)).to(x.dtype).mean() * step.abs().sqrt() * eps"),
    edit("diffusion_of_t", "the diffusion coefficient is called with the time alone; it takes the state, then the time",
         "kick = diffusion(t) * step.abs().sqrt() * eps"),
    edit("diffusion_must_be_tensor", "a tensor's method is called on the diffusion coefficient, which may be a plain number",
         "kick = diffusion(path[-1], t).to(x.dtype) * step.abs().sqrt() * eps"),
    edit("diffusion_changed", "the answer of `diffusion` is changed in place; it may be x itself",
         "g = diffusion(path[-1], t); kick = (g.mul_(step.abs().sqrt()) if isinstance(g, Tensor) and g.shape == eps.shape else g * step.abs().sqrt()) * eps"),
    edit("matrix_product", "the coefficient and the noise are multiplied as matrices; (1.3) multiplies entry by entry",
         "g = diffusion(path[-1], t); kick = step.abs().sqrt() * (g @ eps.transpose(-1, -2) @ eps if isinstance(g, Tensor) and g.shape == eps.shape else g * eps)"),
    edit("equal_steps_noise", "the noise is scaled as if all steps were equally long; `times` may be uneven",
         "kick = diffusion(path[-1], t) * ((times[-1] - times[0]).abs() / len(noise)).sqrt() * eps"),
    edit("first_step_noise", "the noise is scaled by the first step's size in every step; `times` may be uneven",
         "kick = diffusion(path[-1], t) * (times[1] - times[0]).abs().sqrt() * eps"),
    edit("total_time_noise", "the noise is scaled by the time since the start; each step adds noise for its own time only",
         "kick = diffusion(path[-1], t) * (t + step - times[0]).abs().sqrt() * eps"),
    edit("last_step_without_noise", "the last step gets no noise; (1.3) holds for all steps",
         "kick = diffusion(path[-1], t) * step.abs().sqrt() * eps * (len(path) < len(noise))"),
    edit("noise_in_float32", "`euler_maruyama` computes in float32 whatever comes in",
         "kick = (diffusion(path[-1], t) * step.abs().sqrt() * eps).float().to(x.dtype)"),
    edit("maruyama_time_number", "`euler_maruyama` gives drift or coefficient a Python number as time; they take a tensor without axes",
         "kick = diffusion(path[-1], float(t)) * step.abs().sqrt() * eps"),
)

mistakes.at(
    "path.append(path[-1] + step * drift(path[-1], t) + kick)",
    edit("no_drift", "the drift is missing", "path.append(path[-1] + kick)"),
    edit("drift_root", "the drift is multiplied by the root of |h|; the root belongs to noise alone",
         "path.append(path[-1] + step.abs().sqrt() * drift(path[-1], t) + kick)"),
    edit("root_over_both", "the root of |h| multiplies drift and noise alike; the drift grows with h", "path.append(path[-1] + step.sign() * step.abs().sqrt() * drift(path[-1], t) + kick)"),
    edit("drift_without_h", "the drift is not multiplied by h", "path.append(path[-1] + drift(path[-1], t) + kick)"),
    edit("drift_minus", "the drift is subtracted; (1.3) adds it, and a falling time makes h negative by itself",
         "path.append(path[-1] - step * drift(path[-1], t) + kick)"),
    edit("drift_abs", "the drift is multiplied by |h|; the bars are for the noise alone, and where the times fall the drift turns round",
         "path.append(path[-1] + step.abs() * drift(path[-1], t) + kick)"),
    edit("drift_halved", "the drift is halved, as in Langevin dynamics; (1.3) takes it whole", "path.append(path[-1] + 0.5 * step * drift(path[-1], t) + kick)"),
    edit("drift_after_kick", "the drift is taken after the kick; (1.3) takes drift and coefficient at the same state",
         "path.append(path[-1] + kick + step * drift(path[-1] + kick, t))"),
    edit("drift_at_next_time", "the drift is taken at the time of the step's end; (1.3) takes it at the beginning",
         "path.append(path[-1] + step * drift(path[-1], t + step) + kick)"),
    edit("drift_at_start", "the drift is taken at the start x in every step", "path.append(path[-1] + step * drift(x, t) + kick)"),
    edit("drift_first_time", "the drift is taken at the first time in every step", "path.append(path[-1] + step * drift(path[-1], times[0]) + kick)"),
    edit("drift_swapped", "the drift is called with the time first; it takes the state, then the time", "path.append(path[-1] + step * drift(t, path[-1]) + kick)"),
    edit("drift_first_step", "the drift uses the first step's size in every step; `times` may be uneven",
         "path.append(path[-1] + (times[1] - times[0]) * drift(path[-1], t) + kick)"),
    edit("both_first_step", "drift and noise use the first step's size in every step; `times` may be uneven",
         "path.append(path[-1] + (times[1] - times[0]) * drift(path[-1], t) + kick)",
         ("* step.abs().sqrt() * eps", "* (times[1] - times[0]).abs().sqrt() * eps")),
    edit("both_equal_steps", "drift and noise cut the whole time into equal steps; `times` may be uneven",
         "path.append(path[-1] + (times[-1] - times[0]) / len(noise) * drift(path[-1], t) + kick)",
         ("* step.abs().sqrt() * eps", "* ((times[-1] - times[0]).abs() / len(noise)).sqrt() * eps")),
    edit("both_unit_time", "1/S is taken for |h|, as if the whole time were 1 and rose",
         "path.append(path[-1] + drift(path[-1], t) / len(noise) + kick)",
         ("* step.abs().sqrt() * eps", "/ math.sqrt(len(noise)) * eps")),
    edit("both_next_time", "drift and coefficient are taken at the time of the step's end; (1.3) takes them at the beginning",
         "path.append(path[-1] + step * drift(path[-1], t + step) + kick)",
         ("kick = diffusion(path[-1], t) *", "kick = diffusion(path[-1], t + step) *")),
    edit("ito_correction", "½g² h is subtracted from the drift, as for a geometric Brownian motion in logarithms; (1.3) has no such term",
         "path.append(path[-1] + step * (drift(path[-1], t) - 0.5 * diffusion(path[-1], t) ** 2) + kick)"),
    edit("drift_squared_g", "the drift is multiplied by g²; only the noise has a coefficient",
         "path.append(path[-1] + step * diffusion(path[-1], t) ** 2 * drift(path[-1], t) + kick)"),
    edit("noise_in_drift", "the noise is multiplied by h times the drift plus the coefficient's kick: the drift itself has no noise",
         "path.append(path[-1] + step * drift(path[-1], t) * eps + kick)"),
    edit("maruyama_heun", "the drift is averaged over a trial step, as Heun does; (1.3) takes it once",
         "a = drift(path[-1], t); path.append(path[-1] + step / 2 * (a + drift(path[-1] + step * a + kick, t + step)) + kick)"),
    edit("maruyama_from_start", "each step is added to the start x, so the steps before it are lost",
         "path.append(x + step * drift(path[-1], t) + kick)"),
    edit("maruyama_in_place", "`euler_maruyama` moves x in place: all states of the path are the last one, and x itself is lost",
         "path.append(path[-1].add_(step * drift(path[-1], t) + kick))"),
    edit("drift_changed", "the drift's answer is changed in place; it may be x itself",
         "path.append(path[-1] + drift(path[-1], t).mul_(step) + kick)"),
)

mistakes.at(
    """
    for t, step, eps in zip(times, times[1:] - times[:-1], noise):
    """,
    edit("maruyama_one_short", "`euler_maruyama` leaves the last step out: S + 1 times are S steps",
         "for t, step, eps in zip(times, times[1:-1] - times[:-2], noise):"),
    edit("maruyama_sorted", "`euler_maruyama` sorts the times; they may fall, and then the path runs backwards",
         "times = times.sort().values\n    for t, step, eps in zip(times, times[1:] - times[:-1], noise):"),
)

# --- ou_moments ---------------------------------------------------------------------------------------------------

mistakes.at(
    "decay = torch.exp(-theta * t)",
    edit("ou_grows", "the mean grows; the pull is towards 0, so the exponent is negative", "decay = torch.exp(theta * t)"),
    edit("ou_decay_twice", "the mean decays like e^(-2θt), and the variance like e^(-4θt); the mean is multiplied by 1 - θh in a step of h",
         "decay = torch.exp(-2 * theta * t)"),
    edit("ou_half_theta", "the mean decays like e^(-θt/2); it is multiplied by 1 - θh in a step of h", "decay = torch.exp(-0.5 * theta * t)"),
    edit("ou_linear", "the mean falls linearly, by 1 - θt, as in one single Euler step; many short steps make e^(-θt)", "decay = 1 - theta * t"),
    edit("ou_sigma_decays", "the decay depends on sigma; the kicks do not change the mean", "decay = torch.exp(-theta * sigma * t)"),
    edit("ou_float32", "`ou_moments` computes in float32 whatever comes in", "decay = torch.exp(-theta * t).float().to(t.dtype)"),
    edit("ou_detached_time", "theta's decay is computed for time 1; it depends on t", "decay = torch.exp(-theta * torch.ones_like(t))"),
)

mistakes.at(
    "added = t if theta == 0 else (1 - decay**2) / (2 * theta)",
    edit("ou_brownian_nan", "θ = 0 gives NaN, 0 divided by 0; Brownian motion has the variance σ²t added",
         "added = (1 - decay**2) / (2 * torch.as_tensor(theta))"),
    edit("ou_brownian_division", "θ = 0 stops with a division by zero; Brownian motion has the variance σ²t added", "added = (1 - decay**2) * (1 / (2 * theta))"),
    edit("ou_brownian_epsilon", "Brownian motion gets no variance from its kicks, as it does if a small number is added to 2θ against the division by 0; after time t it is σ²t",
         "added = (1 - decay**2) / (2 * theta + 1e-8)"),
    edit("ou_brownian_small_theta", "a tiny θ is used in place of 0: 1 - e^(-2θt) has then no digits left",
         "added = (1 - torch.exp(-2 * max(theta, 1e-8) * t)) / (2 * max(theta, 1e-8))"),
    edit("ou_brownian_stands", "Brownian motion keeps one variance σ² at all times; it grows, as σ²t", "added = 1 + 0 * t if theta == 0 else (1 - decay**2) / (2 * theta)"),
    edit("ou_brownian_sigma", "Brownian motion's variance has σ instead of σ²", "added = t / (sigma or 1.0) if theta == 0 else (1 - decay**2) / (2 * theta)"),
    edit("ou_brownian_no_sigma", "Brownian motion's variance lacks σ²; after time t it has grown by σ²t",
         "added = t / (sigma**2 or 1.0) if theta == 0 else (1 - decay**2) / (2 * theta)"),
    edit("ou_weak_pull_first_order", "for a weak pull the exponentials are cut off after the term in t; only θ = 0 needs another formula",
         "decay, added = (1 - theta * t, t) if theta < 0.1 else (decay, (1 - decay**2) / (2 * theta))",
         ("return decay * mean, decay**2 * variance + sigma**2 * added", "return decay * mean, (1 - 2 * theta * t if 0 < theta < 0.1 else decay**2) * variance + sigma**2 * added")),
    edit("ou_brownian_squared", "Brownian motion's variance grows like t²; independent kicks give σ²t", "added = t**2 if theta == 0 else (1 - decay**2) / (2 * theta)"),
    edit("ou_brownian_root", "Brownian motion's variance grows like the root of t; that is the standard deviation", "added = t.sqrt() if theta == 0 else (1 - decay**2) / (2 * theta)"),
    edit("ou_weak_pull_brownian", "a weak pull is treated as none; only θ = 0 is Brownian motion", "added = t if theta < 0.1 else (1 - decay**2) / (2 * theta)"),
    edit("ou_always_brownian", "the kicks' variance grows like σ²t for every θ; the pull makes it smaller", "added = t"),
    edit("ou_settled", "the variance is the one that is reached after a long time, at every time", "added = t if theta == 0 else 1 / (2 * theta) + 0 * t"),
    edit("ou_no_two", "the kicks' variance is divided by θ; it is 2θ, as dv/dt = -2θv + σ²", "added = t if theta == 0 else (1 - decay**2) / theta"),
    edit("ou_times_theta", "the kicks' variance is multiplied by 2θ; a strong pull makes it smaller", "added = t if theta == 0 else (1 - decay**2) * 2 * theta"),
    edit("ou_half_theta_divided", "the kicks' variance is divided by 4θ; it is 2θ", "added = t if theta == 0 else (1 - decay**2) / (4 * theta)"),
    edit("ou_kicks_decay_once", "the kicks' variance has e^(-θt) where e^(-2θt) belongs: variances decay with the square of the mean's factor",
         "added = t if theta == 0 else (1 - decay) / (2 * theta)"),
    edit("ou_kicks_by_mean_equation", "the kicks' variance is (1 - e^(-θt))/θ, as if it followed dv/dt = -θv + σ²; both sides of a square shrink, so it is -2θv",
         "added = t if theta == 0 else (1 - decay) / theta"),
    edit("ou_kicks_squared", "1 - e^(-θt) is squared in the kicks' variance; it is 1 - e^(-2θt)", "added = t if theta == 0 else (1 - decay) ** 2 / (2 * theta)"),
    edit("ou_kicks_sign", "the kicks' variance is negative: the sign of 1 - e^(-2θt) is turned", "added = t if theta == 0 else (decay**2 - 1) / (2 * theta)"),
    edit("ou_kicks_forget_one", "the 1 in 1 - e^(-2θt) is missing", "added = t if theta == 0 else decay**2 / (2 * theta)"),
    edit("ou_no_two_in_exponent", "(1 - e^(-2θt))/2 lacks the division by θ", "added = t if theta == 0 else (1 - decay**2) / 2"),
)

mistakes.at(
    "return decay * mean, decay**2 * variance + sigma**2 * added",
    edit("ou_sigma", "the kicks' variance has σ instead of σ²", "return decay * mean, decay**2 * variance + sigma * added"),
    edit("ou_sigma_fourth", "the kicks' variance has σ⁴; σ is the standard deviation per root of time, σ² the variance", "return decay * mean, decay**2 * variance + sigma**4 * added"),
    edit("ou_no_sigma", "the kicks' variance does not depend on σ", "return decay * mean, decay**2 * variance + added"),
    edit("ou_decay_once", "the first variance decays like the mean; a variance shrinks with the square of the mean's factor",
         "return decay * mean, decay * variance + sigma**2 * added"),
    edit("ou_first_variance_lost", "the variance at time 0 is forgotten at once; it decays", "return decay * mean, sigma**2 * added + 0 * variance"),
    edit("ou_one_step", "mean and variance come from one Euler step over all the time t, 1 - θt and 1 - 2θt; many short steps make e^(-θt) and e^(-2θt)",
         "return (1 - theta * t) * mean, (1 - 2 * theta * t) * variance + sigma**2 * t"),
    edit("ou_one_step_squared", "mean and variance come from one step over all the time t, 1 - θt and its square; many short steps make e^(-θt) and e^(-2θt)",
         "return (1 - theta * t) * mean, (1 - theta * t) ** 2 * variance + sigma**2 * t"),
    edit("ou_brownian_first_variance_lost", "Brownian motion forgets the variance at time 0; without a pull it stays, and σ²t is added",
         "return decay * mean, (theta > 0) * decay**2 * variance + sigma**2 * added"),
    edit("ou_variance_like_mean", "the variance follows dv/dt = -θv + σ²; a step of h multiplies it by (1 - θh)², so it is -2θv",
         "return decay * mean, decay * variance + sigma**2 * added", ("(1 - decay**2) / (2 * theta)", "(1 - decay) / theta")),
    edit("ou_brownian_from_zero", "Brownian motion starts at 0 for sure; it starts with the mean and the variance that are given",
         "return (theta > 0) * decay * mean, (theta > 0) * decay**2 * variance + sigma**2 * added"),
    edit("ou_approaches_from_other_side", "what decays has the wrong sign: it is the first variance less the final one, not the final one less the first",
         "return decay * mean, sigma**2 * added + (variance if theta == 0 else (sigma**2 / theta - variance) * decay**2)"),
    edit("ou_first_variance_stays", "the variance at time 0 stays; it decays like e^(-2θt)", "return decay * mean, variance + sigma**2 * added"),
    edit("ou_kicks_only_scaled", "the kicks are left out of the variance", "return decay * mean, decay**2 * variance + 0 * sigma * added"),
    edit("ou_mean_stays", "the mean stays; it is pulled to 0 like e^(-θt)", "return mean + 0 * t, decay**2 * variance + sigma**2 * added"),
    edit("ou_brownian_mean_lost", "Brownian motion loses its mean; without a pull it stays", "return (0 if theta == 0 else 1) * decay * mean, decay**2 * variance + sigma**2 * added"),
    edit("ou_mean_decays_twice", "the mean decays like e^(-2θt); only the variance does", "return decay**2 * mean, decay**2 * variance + sigma**2 * added"),
    edit("ou_mean_lost", "the mean is 0 at once; it is pulled there like e^(-θt)", "return 0 * decay * mean, decay**2 * variance + sigma**2 * added"),
    edit("ou_std", "a standard deviation is returned in place of the variance", "return decay * mean, (decay**2 * variance + sigma**2 * added).sqrt()"),
    edit("ou_std_in", "`variance` is taken for a standard deviation and squared", "return decay * mean, decay**2 * variance**2 + sigma**2 * added"),
    edit("ou_std_both", "`variance` is taken for a standard deviation, and one is returned", "return decay * mean, (decay**2 * variance**2 + sigma**2 * added).sqrt()"),
    edit("ou_swapped", "the variance is returned first; the mean comes first", "return decay**2 * variance + sigma**2 * added, decay * mean"),
    edit("ou_second_moment", "the second moment is returned, the variance plus the square of the mean",
         "return decay * mean, decay**2 * (variance + mean**2) + sigma**2 * added"),
    edit("ou_uses_decay_everywhere", "what the kicks add is multiplied by the decay once more", "return decay * mean, decay**2 * (variance + sigma**2 * added)"),
    edit("ou_sigma_in_mean", "the mean is moved by the kicks; their mean is 0", "return decay * mean + sigma * added, decay**2 * variance + sigma**2 * added"),
)

# --- langevin -----------------------------------------------------------------------------------------------------

def walk(state, kicks="noise"):
    """Langevin dynamics with other next states."""
    return f"""
    path = [x]
    for kick in {kicks}:
        path.append({state})
    return torch.stack(path)
    """


def langevin_on(times):
    """Langevin dynamics with other times."""
    return f"""
    times = {times}.to(x)
    return euler_maruyama(lambda x, t: score(x) / 2, lambda x, t: 1.0, x, times, noise)
    """


mistakes.at(
    """
    times = step * torch.arange(len(noise) + 1, dtype=x.dtype, device=x.device)
    return euler_maruyama(lambda x, t: score(x) / 2, lambda x, t: 1.0, x, times, noise)
    """,
    edit("climb_not_halved", "`langevin` takes the score with the whole step; (1.4) takes half of it: otherwise the walkers end too close together",
         walk("path[-1] + step * score(path[-1]) + math.sqrt(step) * kick")),
    edit("climb_root_two", "`langevin` takes the whole step for the score and √(2η) for the noise: another book's η, twice as fast as (1.4)",
         walk("path[-1] + step * score(path[-1]) + math.sqrt(2 * step) * kick")),
    edit("climb_noise_root_two", "`langevin` has √(2η) for the noise with half a step for the score: the walkers end too far apart",
         walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(2 * step) * kick")),
    edit("climb_noise_half", "`langevin` halves the step under the root as well; (1.4) has √η", walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step / 2) * kick")),
    edit("climb_noise_halved", "`langevin` halves the noise as well; (1.4) halves the score's part alone",
         walk("path[-1] + 0.5 * (step * score(path[-1]) + math.sqrt(step) * kick)")),
    edit("climb_noise_h", "`langevin` multiplies the noise by η instead of its root", walk("path[-1] + 0.5 * step * score(path[-1]) + step * kick")),
    edit("climb_noise_without_step", "`langevin` adds the noise without the root of η", walk("path[-1] + 0.5 * step * score(path[-1]) + kick")),
    edit("climb_root_for_score", "`langevin` multiplies the score by the root of η; the root belongs to the noise",
         walk("path[-1] + 0.5 * math.sqrt(step) * score(path[-1]) + math.sqrt(step) * kick")),
    edit("climb_whole_half", "`langevin` halves the step as a whole number (`//`), so that short steps become 0", walk("path[-1] + step // 2 * score(path[-1]) + math.sqrt(step) * kick")),
    edit("climb_no_step", "`langevin` takes half of the score without the step η", walk("path[-1] + 0.5 * score(path[-1]) + math.sqrt(step) * kick")),
    edit("climb_half_squared", "`langevin` has η²/2 for the score; that belongs to a step called ε with noise ε ε_t, here η is its square",
         walk("path[-1] + 0.5 * step**2 * score(path[-1]) + math.sqrt(step) * kick")),
    edit("climb_step_is_std", "`langevin` takes `step` for the standard deviation of the noise, with its square for the score; (1.4) takes it for the variance",
         walk("path[-1] + 0.5 * step**2 * score(path[-1]) + step * kick")),
    edit("climb_downhill", "`langevin` walks downhill: the score is subtracted", walk("path[-1] - 0.5 * step * score(path[-1]) + math.sqrt(step) * kick")),
    edit("climb_no_score", "`langevin` leaves the score out", walk("path[-1] + math.sqrt(step) * kick")),
    edit("climb_no_noise", "`langevin` leaves the noise out: all walkers end on the peaks", walk("path[-1] + 0.5 * step * score(path[-1])")),
    edit("climb_noise_minus", "`langevin` subtracts the noise; the law is the same, but not the path with this noise",
         walk("path[-1] + 0.5 * step * score(path[-1]) - math.sqrt(step) * kick")),
    edit("climb_noise_twice", "`langevin` multiplies by the noise twice", walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * kick * kick")),
    edit("climb_own_noise", "`langevin` draws noise of its own; the noise is given", walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * torch.randn_like(kick)")),
    edit("climb_own_noise_twice", "`langevin` multiplies noise of its own with the noise that is given",
         walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * torch.randn_like(kick) * kick")),
    edit("climb_first_noise", "`langevin` uses the first step's noise in every step", walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * noise[0]")),
    edit("climb_noise_backwards", "`langevin` uses the noise from its end", walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * noise[len(noise) - len(path)]")),
    edit("climb_one_noise_for_all", "`langevin` gives all points the noise of the first one", walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * kick[:1]")),
    edit("climb_last_step_without_noise", "`langevin` takes the last step without noise; (1.4) holds for all steps",
         walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * kick * (len(path) < len(noise))")),
    edit("climb_after_noise", "`langevin` takes the score after the noise has been added; (1.4) takes it at the state before",
         walk("path[-1] + math.sqrt(step) * kick + 0.5 * step * score(path[-1] + math.sqrt(step) * kick)")),
    edit("climb_score_at_start", "`langevin` takes the score at the start x in every step", walk("path[-1] + 0.5 * step * score(x) + math.sqrt(step) * kick")),
    edit("climb_from_start", "`langevin` adds each step to the start x, so the steps before it are lost", walk("x + 0.5 * step * score(path[-1]) + math.sqrt(step) * kick")),
    edit("climb_normalised", "`langevin` normalises the score to length 1; where it is short, the walk must be slow",
         walk("path[-1] + 0.5 * step * F.normalize(score(path[-1]), dim=-1) + math.sqrt(step) * kick")),
    edit("climb_clipped", "`langevin` cuts the score off at ±1; it may be of any size", walk("path[-1] + 0.5 * step * score(path[-1]).clamp(-1, 1) + math.sqrt(step) * kick")),
    edit("climb_shrinking", "`langevin` makes the steps shorter as it goes; they are all η", walk("path[-1] + 0.5 * step / len(path) * score(path[-1]) + math.sqrt(step / len(path)) * kick")),
    edit("climb_in_place", "`langevin` moves x in place: all states of the path are the last one, and x itself is lost",
         walk("path[-1].add_(0.5 * step * score(path[-1]) + math.sqrt(step) * kick)")),
    edit("climb_score_changed", "`langevin` changes the score's answer in place; it may be x itself",
         walk("path[-1] + score(path[-1]).mul_(0.5 * step) + math.sqrt(step) * kick")),
    edit("climb_float32", "`langevin` computes in float32 whatever comes in", walk("(path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * kick).float().to(x.dtype)")),
    edit("climb_time", "`langevin` calls the score with a time; it takes the state alone", walk("path[-1] + 0.5 * step * score(path[-1], step) + math.sqrt(step) * kick")),
    edit("climb_tensor_root", "`langevin` takes a tensor's root of the step, which is a plain number", walk("path[-1] + 0.5 * step * score(path[-1]) + torch.sqrt(step) * kick")),
    edit("climb_one_short", "`langevin` leaves the last step out: there are as many steps as entries of `noise`",
         walk("path[-1] + 0.5 * step * score(path[-1]) + math.sqrt(step) * kick", "noise[:-1]")),
    edit("climb_whole_time", "`langevin` cuts the time η into S steps; each step is η", langevin_on("torch.linspace(0, step, len(noise) + 1)")),
    edit("climb_unit_time", "`langevin` cuts the time 1 into S steps; each step is η", langevin_on("torch.linspace(0, 1, len(noise) + 1)")),
    edit("climb_sizes_as_times", "`langevin` hands the step sizes to `euler_maruyama` where it takes the times, so that nobody moves",
         langevin_on("torch.full((len(noise) + 1,), step)")),
)


@mistakes.rewrite("`heun` puts the trial states into the path, though it goes on from the corrected ones")
def heun_keeps_trial(ref):
    def heun(velocity, x, times):
        path = [x]
        for t, s in pairwise(times):
            here = velocity(x, t)
            trial = x + (s - t) * here
            path.append(trial)
            x = x + (s - t) / 2 * (here + velocity(trial, s))
        return torch.stack(path)

    return {"heun": heun}


def ou_many_steps(ref, steps):
    """The moments by so many Euler steps."""
    def ou_moments(theta, sigma, t, mean, variance):
        h = t / steps
        for _ in range(steps):
            mean, variance = mean - h * theta * mean, variance + h * (sigma**2 - 2 * theta * variance)
        return mean, variance

    return {"ou_moments": ou_moments}


@mistakes.rewrite("mean and variance come from 100 Euler steps of dm/dt and dv/dt; both equations can be solved")
def ou_hundred_steps(ref):
    return ou_many_steps(ref, 100)


@mistakes.rewrite("mean and variance come from 1000 Euler steps of dm/dt and dv/dt; both equations can be solved")
def ou_thousand_steps(ref):
    return ou_many_steps(ref, 1000)


@mistakes.rewrite("the path is a NumPy array; a tensor is wanted")
def euler_numpy(ref):
    return {"euler": lambda *arguments: ref.euler(*arguments).numpy()}


# --- what is returned ---------------------------------------------------------------------------------------------

CHANGES = {
    "end": (lambda path: path[-1], "returns the last state alone; all states are wanted, x first"),
    "no_start": (lambda path: path[1:], "returns the path without the start x, which is its first state"),
    "axis_one": (lambda path: path.transpose(0, 1), "returns the points on the first axis; the steps come first"),
    "list": (list, "returns a list of states; they are to be stacked into one tensor"),
    "flipped": (lambda path: path.flip(0), "returns the path from its end; x comes first"),
    "flat": (lambda path: path.flatten(0, 1), "joins steps and points on one axis; the steps have an axis of their own"),
}


def returned(name, key):
    """The right walk, with something done to the path that it returns."""
    def factory(ref):
        return {name: lambda *arguments: CHANGES[key][0](getattr(ref, name)(*arguments))}

    factory.__name__ = f"{name}_{key}"
    return factory


for walker in ("euler", "heun", "euler_maruyama", "langevin"):
    for what, (_, sentence) in CHANGES.items():
        mistakes.rewrite(f"`{walker}` {sentence}")(returned(walker, what))
