"""What the price of each product must be at each hour, without the product's own rules."""

from dataclasses import dataclass, field


@dataclass
class ModelPlan:
    """A plan of the model. ``order`` breaks ties between plans that start at the same hour."""

    order: int
    products: tuple[str, ...]
    price: int
    start: int
    end: int | None
    keeps: bool
    originals: dict[str, int]
    state: str = "scheduled"
    held: set[str] = field(default_factory=set)
    edits_since: dict[str, int] = field(default_factory=dict)


@dataclass
class PlanModel:
    """Prices that people gave, and the plans on top of them: the one that started last wins."""

    base: dict[str, int]
    plans: list[ModelPlan] = field(default_factory=list)

    def price(self, product: str) -> int:
        running = [plan for plan in self.plans if product in plan.held]
        top = max(running, key=lambda plan: (plan.start, plan.order), default=None)
        return top.price if top else self.base[product]

    def edit(self, product: str, price: int) -> None:
        """People set a price: the plans so far hold it no more."""
        if price == self.price(product):
            return
        self._set_base(product, price)
        for plan in self.plans:
            plan.edits_since[product] = price

    def _set_base(self, product: str, price: int) -> None:
        self.base[product] = price
        for plan in self.plans:
            plan.held.discard(product)

    def run_until(self, hour: int) -> None:
        """Make the steps that are due, in the order of their hours, ends first."""
        while due := self._due(hour):
            _at, kind, plan = min(due, key=lambda step: (step[0], step[1], step[2].order))
            if kind == 0:
                plan.state = "ended"
                plan.held.clear()
            elif plan.end is not None and plan.end <= hour:
                plan.state = "missed"
            else:
                self._start(plan)

    def _due(self, hour: int) -> list[tuple[int, int, ModelPlan]]:
        ends = [
            (plan.end, 0, plan)
            for plan in self.plans
            if plan.state == "running" and plan.end is not None and plan.end <= hour
        ]
        starts = [
            (plan.start, 1, plan)
            for plan in self.plans
            if plan.state == "scheduled" and plan.start <= hour
        ]
        return [*ends, *starts]

    def _start(self, plan: ModelPlan) -> None:
        plan.state = "ended" if plan.end is None else "running"
        for product in plan.products:
            edited = plan.edits_since.get(product, plan.price)
            if plan.keeps and edited not in (plan.originals[product], plan.price):
                continue
            if plan.end is not None:
                plan.held.add(product)
            elif self.price(product) != plan.price:
                self._set_base(product, plan.price)
