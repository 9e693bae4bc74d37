"""Other right versions of the answers to question 9."""

import torch

from autograder.probes import Alternatives

alternatives = Alternatives()


@alternatives.rewrite("roots of each level; masks by multiplication; a class for a spy; the walk of sdedit by hand")
def by_hand(ref):
    def renoise(x, s, t, alpha_bar, noise):
        a = alpha_bar[t] ** 0.5 / alpha_bar[s] ** 0.5
        return a * x + torch.sqrt((1 - a**2).clamp(min=0)) * noise

    def spy_levels(program, step, times, alpha_bar, rounds=1):
        class Spy:
            def __init__(self):
                self.told, self.shown = [], []

            def __call__(self, x, t):
                self.told.append(int(t[0]))
                self.shown.append(float(x.flatten()[0]))
                return x * 0

        spy = Spy()
        known = torch.ones(1, 1, 2, 2, dtype=alpha_bar.dtype, device=alpha_bar.device)
        noise = torch.zeros(len(times) - 1, rounds, 3, *known.shape, dtype=alpha_bar.dtype, device=alpha_bar.device)
        program(step, spy, known, torch.ones_like(known, dtype=torch.bool), torch.zeros_like(known), times, alpha_bar, noise)
        return alpha_bar[spy.told], torch.tensor(spy.shown, dtype=alpha_bar.dtype, device=alpha_bar.device) ** 2

    @torch.no_grad()
    def inpaint(step, model, known, mask, x_T, times, alpha_bar, noise):
        x, m = x_T.clone(), mask.to(x_T.dtype)
        for i in range(len(times) - 1):
            t, s = int(times[i]), int(times[i + 1])
            for r in range(noise.shape[1]):
                if r:
                    x = ref.renoise(x, s, t, alpha_bar, noise[i, r - 1, 2])
                x = step(x, model(x, torch.full((len(x),), t, device=x.device)), t, s, alpha_bar, noise[i, r, 0])
                level = alpha_bar[s]
                x = m * (level.sqrt() * known + (1 - level).sqrt() * noise[i, r, 1]) + (1 - m) * x
        return x

    @torch.no_grad()
    def sdedit(step, model, x0, t0, times, alpha_bar, noise):
        x, t, i = alpha_bar[t0].sqrt() * x0 + (1 - alpha_bar[t0]).sqrt() * noise[0], t0, 1
        for s in times.tolist():
            if s < t:
                x = step(x, model(x, torch.full((len(x),), t, device=x.device)), t, s, alpha_bar, noise[i])
                t, i = s, i + 1
        return x

    return {"renoise": renoise, "spy_levels": spy_levels, "inpaint": inpaint, "sdedit": sdedit}


@alternatives.rewrite("in float64 and cast back; q_sample for the known pixels; boolean indexing")
def wide(ref):
    def renoise(x, s, t, alpha_bar, noise):
        if s == t:
            return x.clone()
        a = (alpha_bar[t].double() / alpha_bar[s].double()).to(x.dtype)
        return torch.sqrt(a) * x + torch.sqrt(1 - a) * noise

    def spy_levels(program, step, times, alpha_bar, rounds=1):
        told, shown = alpha_bar.new_empty(0), alpha_bar.new_empty(0)

        def spy(x, t):
            nonlocal told, shown
            told, shown = torch.cat([told, alpha_bar[t]]), torch.cat([shown, x.reshape(-1)[:1].square()])
            return torch.zeros_like(x)

        x = torch.zeros(1, 1, 1, 1).to(alpha_bar)
        noise = torch.zeros((len(times) - 1, rounds, 3, 1, 1, 1, 1)).to(alpha_bar)
        program(step=step, model=spy, known=x + 1, mask=torch.tensor([True], device=x.device), x_T=x, times=times, alpha_bar=alpha_bar, noise=noise)
        return told, shown

    def inpaint(step, model, known, mask, x_T, times, alpha_bar, noise):
        x, where = x_T, mask.expand(known.shape)
        with torch.inference_mode():
            for t, s, per_step in zip(times, times[1:], noise):
                for number, three in enumerate(per_step, start=1):
                    x = step(x, model(x, t.repeat(len(x))), t, s, alpha_bar, three[0])
                    put_in = ref.q_sample(known, s.repeat(len(x)), three[1], alpha_bar)
                    x[where] = put_in[where]
                    x = ref.renoise(x, s, t, alpha_bar, three[2]) if number < len(per_step) else x
        return x.clone()

    def sdedit(step, model, x0, t0, times, alpha_bar, noise):
        if t0 == 0:
            return x0
        lower = [t for t in times.tolist() if t < t0]
        x = ref.q_sample(x0, torch.full((len(x0),), t0, device=x0.device), noise[0], alpha_bar)
        return ref.sample(step, model, x, torch.tensor([t0, *lower], device=x0.device), alpha_bar, noise[1 : 1 + len(lower)])

    return {"renoise": renoise, "spy_levels": spy_levels, "inpaint": inpaint, "sdedit": sdedit}


@alternatives.rewrite("one flat list of jumps for inpaint; sdedit that searches its place in the times")
def flat(ref):
    def renoise(x, s, t, alpha_bar, noise):
        beta = 1 - alpha_bar[t] / alpha_bar[s]
        return torch.addcmul((1 - beta) ** 0.5 * x, noise, beta**0.5)

    def inpaint(step, model, known, mask, x_T, times, alpha_bar, noise):
        steps, rounds = noise.shape[:2]
        x = x_T.detach()
        for n in range(steps * rounds):
            i, r = divmod(n, rounds)
            t, s = times[i], times[i + 1]
            with torch.no_grad():
                x = step(x, model(x, torch.ones(len(x), dtype=torch.int64, device=x.device) * t), t, s, alpha_bar, noise[i, r, 0])
                x = ref.renoise(known, torch.tensor(0), s, alpha_bar, noise[i, r, 1]).where(mask, x)
                if r != rounds - 1:
                    x = ref.renoise(x, s, t, alpha_bar, noise[i, r, 2])
        return x

    def sdedit(step, model, x0, t0, times, alpha_bar, noise):
        place = int((times >= t0).sum())
        walk = torch.cat([torch.full_like(times[:1], t0), times[place:]])
        return ref.sample(step, model, ref.renoise(x0, 0, t0, alpha_bar, noise[0]), walk, alpha_bar, noise[1:])

    return {"renoise": renoise, "inpaint": inpaint, "sdedit": sdedit}


@alternatives.rewrite("a step of the walk as a function of its own; sdedit as an inpainting where nothing is known; a spy that keeps whole calls")
def by_parts(ref):
    def renoise(x, s, t, alpha_bar, noise):
        shrink = torch.exp(0.5 * (torch.log(alpha_bar[t]) - torch.log(alpha_bar[s])))
        return shrink * x + torch.sqrt((1 - shrink) * (1 + shrink)) * noise

    def spy_levels(program, step, times, alpha_bar, rounds=1):
        calls, pixel = [], torch.ones((1, 1, 1), dtype=alpha_bar.dtype, device=alpha_bar.device)

        def spy(x, t):
            calls.append((t, x.clone()))
            return torch.zeros_like(x)

        shape = [times.numel() - 1, rounds, 3, 1, 1, 1]
        program(step, spy, pixel, pixel.bool(), torch.zeros_like(pixel), times, alpha_bar, pixel.new_zeros(shape))
        return torch.cat([alpha_bar[t] for t, _ in calls]), torch.cat([x.flatten() for _, x in calls]) ** 2

    def inpaint(step, model, known, mask, x_T, times, alpha_bar, noise):
        def one_round(x, t, s, z_step, z_known):
            moved = step(x, model(x, t.expand(x.shape[0])), t, s, alpha_bar, z_step)
            return torch.where(mask, ref.renoise(known, times[0] * 0, s, alpha_bar, z_known), moved)

        with torch.no_grad():
            x = x_T
            for i in range(len(noise)):
                t, s = times[i : i + 2]
                x = one_round(x, t, s, *noise[i, 0, :2])
                for r in range(1, noise.shape[1]):
                    x = one_round(ref.renoise(x, s, t, alpha_bar, noise[i, r - 1, 2]), t, s, *noise[i, r, :2])
        return x

    def sdedit(step, model, x0, t0, times, alpha_bar, noise):
        walk = [t0] + [t for t in times.tolist() if t < t0]
        x, zeros = ref.renoise(x0, 0, t0, alpha_bar, noise[0]), torch.zeros_like(noise[1:])
        if len(walk) == 1:
            return x
        each = torch.stack([noise[1:], zeros, zeros], 1)[: len(walk) - 1, None]
        return ref.inpaint(step, model, x0, torch.zeros_like(x0, dtype=torch.bool), x, times.new_tensor(walk), alpha_bar, each)

    return {"renoise": renoise, "spy_levels": spy_levels, "inpaint": inpaint, "sdedit": sdedit}
